/** The 12 messages of RFC 5118 ("SIP torture tests for IPv6"), typed from its text. */
import { message, type TortureMessage } from './torture-messages';

interface Register {
  readonly uri: string;
}

/** §4.1 to §4.4 differ in their Request-URI alone. */
function register({ uri }: Register): Buffer {
  return message(`
REGISTER ${uri} SIP/2.0
To: sip:user@example.com
From: sip:user@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111
Call-ID: SSG9559905523997077@hlau_4100
Max-Forwards: 70
Contact: "Caller" <sip:caller@[2001:db8::1]>
CSeq: 98176 REGISTER
Content-Length: 0
`);
}

/** §4.10: the same but for a colon. */
function options(host: string): Buffer {
  return message(`
OPTIONS sip:user@[${host}] SIP/2.0
To: sip:user@[${host}]
From: sip:user@example.com;tag=810x2
Via: SIP/2.0/UDP lab1.east.example.com;branch=z9hG4bKas3-111
Call-ID: G9559905523997077@hlau_4100
CSeq: 689 OPTIONS
Max-Forwards: 70
Content-Length: 0
`);
}

/** §4.6 and §4.9: no codec that we have. */
function g726(address: string, subject: string): string {
  return `v=0
o=assistant 971731711378798081 0 IN IP6 ${address}
s=${subject}
c=IN IP6 ${address}
t=3338481189 3370017201
m=audio 6000 RTP/AVP 2
a=rtpmap:2 G726-32/8000
m=video 6024 RTP/AVP 107
a=rtpmap:107 H263-1998/90000
`;
}

export const ipv6TortureMessages: readonly TortureMessage[] = [
  { section: '4.1', name: 'ipv6-good', outcome: 405, bytes: register({ uri: 'sip:[2001:db8::10]' }) },
  {
    section: '4.2',
    name: 'ipv6-bad: an address without brackets',
    outcome: 400,
    bytes: register({ uri: 'sip:2001:db8::10' }),
  },
  {
    section: '4.3',
    name: 'port-ambiguous: 5070 is the end of the address',
    outcome: 405,
    bytes: register({ uri: 'sip:[2001:db8::10:5070]' }),
  },
  {
    section: '4.4',
    name: 'port-unambiguous: 5070 is the port',
    outcome: 405,
    bytes: register({ uri: 'sip:[2001:db8::10]:5070' }),
  },
  {
    section: '4.5',
    name: 'via-received-param-with-delim: read, and of no dialog here',
    outcome: 481,
    bytes: message(`
BYE sip:[2001:db8::10] SIP/2.0
To: sip:user@example.com;tag=bd76ya
From: sip:user@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111
Call-ID: SSG9559905523997077@hlau_4100
Max-Forwards: 70
CSeq: 321 BYE
Content-Length: 0
`),
  },
  {
    section: '4.5',
    name: 'via-received-param-no-delim',
    outcome: 200,
    bytes: message(`
OPTIONS sip:[2001:db8::10] SIP/2.0
To: sip:user@example.com
From: sip:user@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3
Call-ID: SSG95523997077@hlau_4100
Max-Forwards: 70
Contact: "Caller" <sip:caller@[2001:db8::9:1]>
CSeq: 921 OPTIONS
Content-Length: 0
`),
  },
  {
    section: '4.6',
    name: 'ipv6-in-sdp: read, and without a codec that we have',
    outcome: 488,
    bytes: message(
      `
INVITE sip:user@[2001:db8::10] SIP/2.0
To: sip:user@[2001:db8::10]
From: sip:user@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::20];branch=z9hG4bKas3-111
Call-ID: SSG9559905523997077@hlau_4100
Contact: "Caller" <sip:caller@[2001:db8::20]>
CSeq: 8612 INVITE
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: LEN
`,
      g726('2001:db8::20', "Live video feed for today's meeting"),
    ),
  },
  {
    section: '4.7',
    name: 'mult-ip-in-header: read, and of no dialog here',
    outcome: 481,
    bytes: message(`
BYE sip:user@host.example.net SIP/2.0
Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144
Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200
Call-ID: 997077@lau_4100
Max-Forwards: 70
CSeq: 89187 BYE
To: sip:user@example.net;tag=9817--94
From: sip:user@example.com;tag=81x2
Content-Length: 0
`),
  },
  {
    section: '4.8',
    name: 'mult-ip-in-sdp: audio over IPv4, video over IPv6',
    outcome: 200,
    bytes: message(
      `
INVITE sip:user@[2001:db8::10] SIP/2.0
To: sip:user@[2001:db8::10]
From: sip:user@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111
Call-ID: SSG9559905523997077@hlau_4100
Contact: "Caller" <sip:caller@[2001:db8::9:1]>
Max-Forwards: 70
CSeq: 8912 INVITE
Content-Type: application/sdp
Content-Length: LEN
`,
      `v=0
o=bob 280744730 28977631 IN IP4 host.example.com
s=
t=0 0
m=audio 22334 RTP/AVP 0
c=IN IP4 192.0.2.1
m=video 6024 RTP/AVP 107
c=IN IP6 2001:db8::1
a=rtpmap:107 H263-1998/90000
`,
    ),
  },
  {
    section: '4.9',
    name: 'ipv4-mapped-ipv6: read, and without a codec that we have',
    outcome: 488,
    bytes: message(
      `
INVITE sip:user@example.com SIP/2.0
To: sip:user@example.com
From: sip:user@east.example.com;tag=81x2
Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19
Via: SIP/2.0/UDP [::ffff:192.0.2.2];branch=z9hG4bKas3-111
Call-ID: SSG9559905523997077@hlau_4100
Contact: "T. desk phone" <sip:ted@[::ffff:192.0.2.2]>
CSeq: 612 INVITE
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: LEN
`,
      g726('::ffff:192.0.2.2', 'Call me soon, please!'),
    ),
  },
  {
    section: '4.10',
    name: 'ipv6-bug-abnf-3-colons: what the grammar of RFC 3261 allows by mistake is borne',
    outcome: 200,
    bytes: options('2001:db8:::192.0.2.1'),
  },
  { section: '4.10', name: 'ipv6-correct-abnf-2-colons', outcome: 200, bytes: options('2001:db8::192.0.2.1') },
];
