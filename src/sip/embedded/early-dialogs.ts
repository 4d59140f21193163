/**
 * Dialogs that provisional responses to an INVITE of ours have begun, one per branch of a fork, and the PRACKs that reliable
 * ones among them ask for (RFC 3261 §12.1.2, RFC 3262 §4).
 */
import { listsToken, parseCSeq, parseNameAddr } from '../header-values';
import { type Dialog, dialogFromResponse } from './dialog';
import type { SipRequest, SipResponse } from './message';
import type { Hop } from './transport';

/** A fork has few branches; more than this are not looked at. */
const maxBranches = 16;

interface EarlyDialog {
  readonly dialog: Dialog;
  lastReliableNumber: number | undefined;
}

export class EarlyDialogs {
  private readonly branches = new Map<string, EarlyDialog>();
  /** Reliable responses whose PRACK the application has yet to send, in the order in which it was told of them. */
  private readonly unacknowledged: { readonly rack: string; readonly dialog: Dialog }[] = [];

  constructor(private readonly owner: number) {}

  /** A response between 101 and 199. 'copy': one that was seen before, or out of order, and must not be looked at. */
  take(request: SipRequest, response: SipResponse, from: Hop): { readonly began?: Dialog } | 'copy' {
    const tag = parseNameAddr(response.headers.get('to') ?? '')?.params.get('tag') ?? '';
    if (tag === '') return {};
    let branch = this.branches.get(tag);
    const began = branch === undefined;
    if (branch === undefined) {
      if (this.branches.size >= maxBranches) return {};
      branch = { dialog: dialogFromResponse(request, response, from, this.owner), lastReliableNumber: undefined };
      this.branches.set(tag, branch);
    }
    const { dialog } = branch;
    const number = reliableNumber(response);
    if (number !== undefined) {
      // §4: only the one right behind the last is new.
      if (branch.lastReliableNumber !== undefined && number !== branch.lastReliableNumber + 1) return 'copy';
      branch.lastReliableNumber = number;
      const cseq = parseCSeq(request.headers.get('cseq') ?? '')?.number ?? 0;
      this.unacknowledged.push({ rack: `${number} ${cseq} INVITE`, dialog });
    }
    return began && this.branches.size === 1 ? { began: dialog } : {};
  }

  /** The branch that a PRACK of the application is for: branches may number alike, so the first that waits. */
  forPrack(rack: string | undefined): Dialog | undefined {
    const wanted = (rack ?? '').trim().split(/\s+/).join(' ');
    const at = this.unacknowledged.findIndex((one) => one.rack === wanted);
    return at < 0 ? undefined : this.unacknowledged.splice(at, 1)[0]?.dialog;
  }

  /** What the early dialog of that To tag has counted: the confirmed one goes on from there. */
  sequenceNumbers(tag: string): { readonly local: number; readonly remote: number } | undefined {
    const dialog = this.branches.get(tag)?.dialog;
    return dialog && { local: dialog.localSeq, remote: dialog.remoteSeq };
  }
}

function reliableNumber(response: SipResponse): number | undefined {
  const text = response.headers.get('rseq')?.trim() ?? '';
  return listsToken(response.headers.get('require'), '100rel') && /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined;
}
