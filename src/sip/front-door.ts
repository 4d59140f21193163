/**
 * Who is calling: a trunk by its address or by digest, a trunk we are registered at, a softphone's user, or a stranger. With
 * none of them configured the door is open (RFC 3261 §22.2).
 */
import { BlockList, isIP } from 'node:net';
import type { DigestGuard } from './digest-guard';
import { parseSipUri } from './uri';
import type { SipSource } from './user-agent';

export interface TrunkPeer {
  readonly name: string;
  /** Addresses or CIDR ranges. */
  readonly addresses: readonly string[];
  readonly proxy?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

export interface UserPeer {
  readonly username: string;
  readonly password: string;
}

/** What the door needs to know of our registrations. */
export interface RegisteredLine {
  readonly name: string;
  readonly line: string;
  readonly addresses: ReadonlySet<string>;
}

export interface FrontDoorOptions {
  readonly trunks: readonly TrunkPeer[];
  readonly users: readonly UserPeer[];
  readonly lines: () => readonly RegisteredLine[];
  readonly guard: DigestGuard;
}

export type Caller =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'trunk'; readonly name: string }
  | { readonly kind: 'user'; readonly username: string };

export type Verdict =
  | { readonly kind: 'let-in'; readonly caller: Caller }
  | { readonly kind: 'ask'; readonly challenge: string }
  | { readonly kind: 'refuse' };

export interface AtTheDoor {
  readonly uri: string;
  readonly source: SipSource;
  header(name: string): string | undefined;
}

export class FrontDoor {
  private readonly byAddress: readonly { readonly name: string; readonly block: BlockList }[];
  private readonly asks: boolean;
  readonly counters = { letIn: 0, asked: 0, refused: 0 };

  constructor(private readonly options: FrontDoorOptions) {
    this.byAddress = options.trunks.map((trunk) => ({ name: trunk.name, block: blockOf(trunk) }));
    this.asks = options.users.length > 0 || options.trunks.some((trunk) => trunk.password !== undefined);
  }

  judge(request: AtTheDoor): Verdict {
    const { trunks, users, lines, guard } = this.options;
    const known = this.byPlace(request, lines());
    if (known !== undefined) return this.letIn({ kind: 'trunk', name: known });
    if (this.asks) {
      const { uri, source } = request;
      const verdict = guard.check(request.header('authorization'), { method: 'INVITE', uri }, source.address);
      if (verdict.kind === 'passed') {
        const { username, password } = verdict;
        const trunk = trunks.find((one) => one.username === username && one.password === password);
        if (trunk !== undefined) return this.letIn({ kind: 'trunk', name: trunk.name });
        return this.letIn({ kind: 'user', username });
      }
      this.counters.asked++;
      return { kind: 'ask', challenge: guard.challenge(source.address, verdict.kind === 'stale') };
    }
    if (trunks.length === 0 && users.length === 0 && lines().length === 0) return this.letIn({ kind: 'anyone' });
    this.counters.refused++;
    return { kind: 'refuse' };
  }

  private letIn(caller: Caller): Verdict {
    this.counters.letIn++;
    return { kind: 'let-in', caller };
  }

  /** By where it comes from, or by the mark of a Contact that only its registrar was told. */
  private byPlace({ uri, source }: AtTheDoor, lines: readonly RegisteredLine[]): string | undefined {
    const family = isIP(source.address) === 6 ? 'ipv6' : 'ipv4';
    const trunk = this.byAddress.find(({ block }) => block.check(source.address, family));
    if (trunk !== undefined) return trunk.name;
    const mark = parseSipUri(uri)?.params.get('line');
    return lines.find(({ line, addresses }) => line === mark || addresses.has(source.address))?.name;
  }
}

/** The addresses it was given, and that of its proxy if that is one. */
function blockOf({ addresses, proxy }: TrunkPeer): BlockList {
  const block = new BlockList();
  const host = parseSipUri(proxy === undefined || /^sips?:/i.test(proxy) ? (proxy ?? '') : `sip:${proxy}`)?.host;
  for (const text of [...addresses, ...(host !== undefined && isIP(host) !== 0 ? [host] : [])]) {
    const [address = '', bits] = text.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(address) === 0) continue;
    if (bits === undefined) block.addAddress(address, family);
    else block.addSubnet(address, Number(bits), family);
  }
  return block;
}

/** Usernames and what they may prove themselves with. */
export function passwordsOf(
  trunks: readonly TrunkPeer[],
  users: readonly UserPeer[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { username, password } of [...trunks, ...users]) {
    if (username === undefined || password === undefined) continue;
    found.set(username, [...(found.get(username) ?? []), password]);
  }
  return found;
}
