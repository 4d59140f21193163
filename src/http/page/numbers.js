/** The numbers of the shipped dialplan: what the page calls them, and what one may ask there. */
const NUMBERS = {
  demo: {
    name: 'Riverside Clinic',
    questions: ['Are you open on Saturday?', 'How much is a first visit?', 'Which doctor treats children?'],
  },
  hotel: {
    name: 'Harbor View Hotel',
    questions: ['When is breakfast?', 'Can I bring my dog?', 'How much is a double room?'],
  },
  shop: {
    name: 'Green Wheel Bicycles',
    questions: ['How long does delivery take?', 'Can I rent a bicycle?', 'When are you open?'],
  },
  echo: { name: 'Echo', questions: [] },
  tone: { name: 'Tone', questions: [] },
};

export function nameOf(number) {
  return NUMBERS[number]?.name ?? number;
}

export function questionsFor(number) {
  return NUMBERS[number]?.questions ?? [];
}
