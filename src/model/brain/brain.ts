/**
 * The built-in brain of every engine that thinks in text: a language model that answers from the facts of its persona, word by word, and
 * decides when to hang up, to hand over or to call a tool. A persona's prompt is computed once and shared by its calls.
 */
import { TrunklineError } from '../../core/errors';
import type { FoundPassage, SearchKnowledge } from '../../core/passage';
import type { AnswerAction } from '../../core/tool';
import type { Persona } from '../omni-model';
import type { ContextItem, LanguageContext, LanguageModel } from '../parts';
import { ChatLayout, type ControlTokens } from '../trunk/chat-layout';
import { endsInLoop, type GreedyRules, greedyToken } from '../trunk/greedy';
import { CHUNK_TOKENS } from '../trunk/trunk-context';
import { TokenTexts } from './arguments/token-texts';
import type { AnswerManner, Brain, BrainConversation, BrainEvent } from './conversation-brain';
import { bestBut, evidenceBonuses } from './evidence';
import { citedIn, LookedUp, lineOf, quoteOf } from './looked-up';
import { NumberGuard } from './number-guard';
import { OpeningDays } from './opening-days';
import { PersonaPrompt } from './persona-prompt';
import { RelatedFacts } from './related-facts';
import { FactIndex, type RelevanceTable } from './relevance';
import { clippedResult, ToolLines } from './tool-lines';
import { ToolSchemas } from './tool-schemas';

/** An answer on the telephone is one or two sentences; this is the bound, not the aim. */
const MAX_ANSWER_TOKENS = 60;
/** Prompts of personas kept ready; the one unused for longest goes. */
const MAX_WARM_PERSONAS = 8;
/**
 * Added to the word that begins a refusal ("I do not have that information") before it is compared with every other. Chosen on
 * businesses of the recipe's validation half so that one invented fact costs as much as two needless refusals, see
 * docs/models/brain.md.
 */
const REFUSAL_BONUS = 1;
/**
 * Added to the word that begins a tool's answer ("One moment, please.") where a tool is offered, chosen on tools of the validation half
 * (docs/models/brain.md): a needless call costs a moment, one that is not made costs the caller what they rang for.
 */
const TOOL_BONUS = 2;
/** Passages read beside a question, which have 70 tokens at most. */
const MOST_PASSAGES = 2;
/** Share of the context that a persona may fill; the rest belongs to the conversation. */
const PERSONA_SHARE = 0.5;

export interface ThinkingModel extends LanguageModel {
  /** Its tokens are 0 … vocabulary − 1; left out: it is known with the first logits. */
  readonly vocabulary?: number;
  readonly control: ControlTokens;
}

export interface TrunkBrainOptions {
  /**
   * Put every fact into the persona's prompt as well, on unless switched off: what a question is about may stand in a fact
   * that shares no word with it (docs/figures.md has both figures). Read once for a persona, not for a call.
   */
  readonly listFacts?: boolean;
  /** For personas with documents. */
  readonly search?: SearchKnowledge | undefined;
}

interface WarmPersona {
  readonly tokens: readonly number[];
  readonly index: FactIndex;
  readonly days: OpeningDays;
  readonly tools: ToolLines;
  /** Numbers that the persona may say. */
  readonly numbers: ReadonlySet<string>;
  readonly prompt: PersonaPrompt;
}

export class TrunkBrain implements Brain {
  private readonly layout: ChatLayout;
  private readonly rules: GreedyRules;
  private readonly guard: NumberGuard;
  private readonly tokenTexts: TokenTexts;
  private readonly personas = new Map<string, WarmPersona>();

  constructor(
    private readonly model: ThinkingModel,
    private readonly relevance: RelevanceTable,
    private readonly options: TrunkBrainOptions = {},
  ) {
    const { control } = model;
    this.layout = new ChatLayout((text) => model.encode(text), control);
    this.guard = new NumberGuard((text) => model.encode(text));
    this.rules = {
      firstTextToken: model.encode('!')[0] ?? 0,
      ends: [control.turnEnd, control.handover, control.hangup],
      unsaid: model.encode('\n'),
    };
    this.tokenTexts = new TokenTexts((tokens) => model.decode(tokens), this.rules.firstTextToken);
  }

  async *warm(persona: Persona): AsyncGenerator<void> {
    const { prompt } = this.prepared(persona);
    while (await prompt.step()) yield;
    const writes = persona.tools?.some(({ parameters }) => parameters !== undefined) === true;
    if (writes) yield* this.tokenTexts.reading(this.model.vocabulary ?? 0);
  }

  async openConversation(persona: Persona): Promise<BrainConversation> {
    const warm = this.prepared(persona);
    const context = (await warm.prompt.whole()).fork();
    const schemas = new ToolSchemas(persona.tools ?? [], (text) => this.model.encode(text), this.tokenTexts);
    const lookedUp = new LookedUp(this.options.search, persona.knowledge);
    return new TrunkConversation(this.model, this.layout, this.rules, this.guard, warm, { schemas, lookedUp }, context);
  }

  async close(): Promise<void> {
    for (const { prompt } of this.personas.values()) await prompt.dispose();
    this.personas.clear();
    await this.model.close();
  }

  private prepared(persona: Persona): WarmPersona {
    // By content: an edited persona keeps its id but needs another prompt.
    // A model without the token for it cannot call what its prompt would promise.
    const tools = new ToolLines(this.model.control.tool === undefined ? [] : (persona.tools ?? []));
    const named = (persona.tools ?? []).map(({ name, description }) => [name, description]);
    const key = JSON.stringify([persona.id, persona.instructions, persona.facts, named]);
    const known = this.personas.get(key);
    if (known !== undefined) {
      this.personas.delete(key);
      this.personas.set(key, known);
      return known;
    }
    const lines = [...persona.facts, ...tools.lines];
    const most = Math.floor(this.model.contextLength * PERSONA_SHARE);
    const tokens = this.layout.persona(persona.instructions, this.options.listFacts === false ? [] : lines, most);
    const prompt = new PersonaPrompt(this.model.createContext(), tokens);
    const index = new FactIndex(this.relevance, lines);
    const numbers = NumberGuard.numbers([persona.name, persona.instructions, ...lines]);
    const warm = { tokens, index, days: new OpeningDays(persona.facts), tools, numbers, prompt };
    this.personas.set(key, warm);
    const [oldest] = this.personas;
    if (this.personas.size > MAX_WARM_PERSONAS && oldest !== undefined) {
      this.personas.delete(oldest[0]);
      void oldest[1].prompt.dispose();
    }
    return warm;
  }
}

interface Thought {
  readonly userText: string;
  readonly heard: readonly Float32Array[] | undefined;
  /** The turn as the model reads it: question, answer, end. */
  readonly items: readonly ContextItem[];
}

/**
 * One call's side of the conversation. The KV cache is what its name says: a cache of the token sequence wanted next.
 * `advance` brings it there from wherever it stands, so answers that were aborted, overtaken by another one, or heard
 * only in part need no care of their own.
 */
class TrunkConversation implements BrainConversation {
  private cached: ContextItem[];
  private history: (readonly ContextItem[])[] = [];
  private readonly related: RelatedFacts;
  private thought: Thought | undefined;
  private pending: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(
    private readonly model: ThinkingModel,
    private readonly layout: ChatLayout,
    private readonly rules: GreedyRules,
    private readonly guard: NumberGuard,
    private readonly persona: WarmPersona,
    private readonly sources: { readonly schemas: ToolSchemas; readonly lookedUp: LookedUp },
    private readonly context: LanguageContext,
  ) {
    this.cached = [...persona.tokens];
    this.related = new RelatedFacts(persona.index, persona.days, (line) => persona.tools.has(line));
  }

  async *answer(userText: string, signal: AbortSignal, how: AnswerManner = {}): AsyncGenerator<BrainEvent> {
    const asks = how.toolResult === undefined && how.wordless === undefined && this.sources.lookedUp.isPossible;
    const searching = asks ? this.sources.lookedUp.for(userText) : undefined;
    if (searching !== undefined) yield { type: 'reading' };
    const found = (await searching) ?? [];
    const related = this.beside(userText, how, found);
    // Which tool it is, is a matter of what was asked: the model says no more than that one is needed.
    const tool = how.toolResult === undefined ? this.persona.tools.offered(related) : undefined;
    const rules = this.rulesWith(tool);
    const decides = how.toolResult === undefined;
    const question = this.layout.question(userText, related, how.heard);
    this.dropOldest(question.length + MAX_ANSWER_TOKENS + 4);
    const before = this.sequence();
    // With figures in the facts at hand the answer's come from them; without, from anything the persona says.
    const nearby = NumberGuard.numbers(related);
    const known = nearby.size > 0 ? nearby : this.persona.numbers;
    const numbers = new Set([...known, ...NumberGuard.numbers([userText])]);
    const evidence = this.evidence(related);
    const said: number[] = [];
    /** Said word for word in place of a refusal. */
    let quoted: readonly number[] | undefined;
    let text = '';
    /** Where the characters of the token read last begin. */
    let readFrom = 0;
    let end = this.layout.control.turnEnd;
    const asked = [...before, ...question];
    for (let to = await this.nextRun(asked); to < asked.length; to = await this.nextRun(asked, to)) {
      await this.advance(asked.slice(0, to), signal);
      yield { type: 'reading' };
    }
    try {
      while (said.length < MAX_ANSWER_TOKENS) {
        const logits = await this.advance([...before, ...question, ...said], signal);
        if (said.length === 0) how.onPrompt?.(this.context.fork());
        if (text.length > readFrom && this.context.hidden !== undefined) {
          how.onRead?.(readFrom, text.length, this.context.hidden);
          readFrom = text.length;
        }
        const chosen = greedyToken(logits, rules, {
          forbidden: this.guard.forbidden(said, numbers),
          // What a tool told is the answer: nothing is to be refused any more.
          bonus:
            decides && said.length === 0 ? this.firstBonuses(evidence, logits, rules) : evidenceBonuses(evidence, said),
        });
        if (said.length === 0 && chosen === this.model.encode('I')[0]) quoted = this.quoteFrom(found);
        if (quoted?.length === said.length) break;
        const token = quoted?.[said.length] ?? chosen;
        if (rules.ends.includes(token)) {
          end = token;
          break;
        }
        said.push(token);
        if (quoted === undefined && endsInLoop(said)) break;
        if (how.pace !== undefined) this.context.foresee?.({ item: token, pace: how.pace });
        const whole = this.model.decode(said);
        // The bytes of one character may be spread over several tokens.
        if (whole.endsWith('�')) continue;
        if (whole.length > text.length) yield { type: 'delta', text: whole.slice(text.length) };
        text = whole;
      }
    } finally {
      this.context.foresee?.();
    }
    signal.throwIfAborted();
    this.thought = { userText, heard: how.heard, items: [...question, ...this.layout.answer(said, end)] };
    if (how.wordless === undefined) this.related.answered(userText);
    if (found.length > 0) this.sources.lookedUp.answered(userText);
    const citations = citedIn(text, found.slice(0, MOST_PASSAGES));
    if (citations.length > 0) yield { type: 'cited', citations };
    const action = this.actionOf(text, end, tool);
    if (action === undefined) return;
    // On its own line, as data stands in what the model has read.
    const whole = [...before, ...question, ...said, ...this.rules.unsaid];
    const next = (written: readonly number[]) => this.advance([...whole, ...written], signal);
    yield { type: 'action', action: await this.sources.schemas.withArguments(action, userText, next) };
  }

  async readAhead(heard: readonly Float32Array[], signal: AbortSignal): Promise<void> {
    const wanted = [...this.sequence(), ...this.layout.userHead, ...heard];
    // No more than one run: the words of the next look come with the next.
    if (heard.length > 0) await this.advance(wanted.slice(0, await this.nextRun(wanted)), signal);
  }

  commit(turn: { userText: string | undefined; heardText: string; interrupted: boolean }): void {
    const { userText, heardText, interrupted } = turn;
    if (userText === undefined) {
      if (heardText.trim() !== '') this.history.push(this.layout.spoken(interrupted ? `${heardText}...` : heardText));
    } else if (!interrupted && this.thought?.userText === userText) {
      // Heard to the end: the model's own tokens stand, and their cache with them.
      this.history.push(this.thought.items);
    } else {
      const heard = this.layout.encodeLine(interrupted ? `${heardText.trim()}...` : heardText);
      this.history.push([
        ...this.layout.question(userText, [], this.thought?.userText === userText ? this.thought.heard : undefined),
        ...this.layout.answer(heard, this.layout.control.turnEnd),
      ]);
    }
    this.thought = undefined;
    // While the caller speaks, the model reads what was said so far.
    this.dropOldest(this.layout.userHead.length + 1);
    void this.advance([...this.sequence(), ...this.layout.userHead]).catch(() => undefined);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    void this.pending.finally(() => this.context.dispose());
  }

  /** The related facts as token sequences, as they stand at the start of an answer and inside one; the best one last. */
  private evidence(related: readonly string[]): number[][] {
    // A tool's line is no answer to anything; it keeps its place, so that the facts keep their shares.
    return related.flatMap((fact) =>
      this.persona.tools.has(fact) ? [[], []] : [this.model.encode(fact), this.model.encode(` ${fact}`)],
    );
  }

  /** What the model reads beside the question. */
  private beside(userText: string, how: AnswerManner, found: readonly FoundPassage[]): string[] {
    if (how.toolResult !== undefined) return [clippedResult(how.toolResult, this.model)];
    if (how.wordless !== undefined) return [];
    const facts = this.related.to(userText);
    const passages = found.slice(0, MOST_PASSAGES).map(lineOf).reverse();
    return passages.length === 0 ? facts : [...facts.slice(-1), ...passages];
  }

  private quoteFrom(found: readonly FoundPassage[]): number[] | undefined {
    const quote = quoteOf(found);
    return quote === undefined ? undefined : this.layout.encodeLine(quote).slice(0, MAX_ANSWER_TOKENS - 1);
  }

  private rulesWith(tool: string | undefined): GreedyRules {
    const { control } = this.layout;
    if (tool === undefined || control.tool === undefined) return this.rules;
    return { ...this.rules, ends: [...this.rules.ends, control.tool] };
  }

  /** How the model ended its turn decides; and what it announces, it does: a goodbye without hanging up is dead air. */
  private actionOf(text: string, end: number, tool: string | undefined): AnswerAction | undefined {
    const { control } = this.layout;
    const asksForPatience = /^\W*one moment,? please\W*$/i.test(text);
    if (tool !== undefined && (end === control.tool || asksForPatience)) return { type: 'tool', name: tool };
    if (end === control.handover || /\bI will connect you\b/i.test(text)) return 'handover';
    if (end === control.hangup || /\bgood ?bye\W*$/i.test(text)) return 'hangup';
    return undefined;
  }

  /**
   * At the first word it is decided whether to refuse or to call a tool: by what the model thinks alone, for words of related facts are
   * at hand just as well where they settle nothing. After that they weigh more, as everywhere.
   */
  private firstBonuses(
    evidence: readonly number[][],
    logits: Float32Array,
    rules: GreedyRules,
  ): ReadonlyMap<number, number> {
    const refusal = this.model.encode('I')[0];
    if (refusal === undefined) return evidenceBonuses(evidence, []);
    const patience = rules === this.rules ? undefined : this.model.encode('One')[0];
    if (patience !== undefined) {
      const raised = new Map([[refusal, REFUSAL_BONUS]]);
      if (logits[patience]! + TOOL_BONUS > bestBut(patience, logits, rules, raised)) {
        return new Map([[patience, TOOL_BONUS]]);
      }
    }
    if (logits[refusal]! + REFUSAL_BONUS > bestBut(refusal, logits, rules)) {
      return new Map([[refusal, REFUSAL_BONUS]]);
    }
    const bonus = new Map(evidenceBonuses(evidence, []));
    bonus.delete(refusal);
    return bonus;
  }

  /** How far the next run reads, after one to `from`. Everything asked for before comes first; another answer may undo a run. */
  private async nextRun(wanted: readonly ContextItem[], from = 0): Promise<number> {
    await this.pending;
    return Math.max(from, this.common(wanted)) + CHUNK_TOKENS;
  }

  private sequence(): ContextItem[] {
    return [...this.persona.tokens, ...this.history.flat()];
  }

  /** Makes room for `tokens` more. Half of the history goes at once, since what stays has to be read anew. */
  private dropOldest(tokens: number): void {
    const room = this.model.contextLength - this.persona.tokens.length - tokens;
    let length = this.history.reduce((sum, turn) => sum + turn.length, 0);
    if (length <= room) return;
    while (this.history.length > 0 && length > room / 2) length -= this.history.shift()?.length ?? 0;
  }

  /** Items of `wanted` that are cached already. */
  private common(wanted: readonly ContextItem[]): number {
    let common = 0;
    while (common < this.cached.length && this.cached[common] === wanted[common]) common += 1;
    return common;
  }

  /** Brings the cache to exactly `wanted` and returns the logits after it. One at a time. */
  private advance(wanted: readonly ContextItem[], signal?: AbortSignal): Promise<Float32Array> {
    const turn = this.pending.then(async () => {
      if (this.closed) {
        throw new TrunklineError('brain.closed', 'The conversation was used after it was closed.', {
          fix: 'This is a mistake in the program: abort the answer before closing the call’s session.',
        });
      }
      signal?.throwIfAborted();
      // Logits come only with a token: if all are cached, the last one is read again.
      const common = Math.min(this.common(wanted), wanted.length - 1);
      this.context.truncate(common);
      this.cached.length = common;
      const missing = wanted.slice(common);
      try {
        return await this.context.append(missing, signal);
      } finally {
        this.cached.push(...missing.slice(0, this.context.length - common));
      }
    });
    this.pending = turn.catch(() => undefined);
    return turn;
  }
}
