/** What the control thread asks of the knowledge thread, one reply per request. */
import type { FoundPassage } from '../core/passage';
import type { Passage } from './chunker';
import type { Neighbour } from './passage-index';
import type { FolderContent } from './read-folder';

export interface KnowledgeReplies {
  /** Of the embedding model. */
  about: { readonly model: string; readonly width: number };
  read: FolderContent;
  /** One vector per text, in a row. */
  embed: Float32Array;
  index: undefined;
  search: readonly FoundPassage[];
}

export type KnowledgeRequest = { readonly id: number } & (
  | { readonly type: 'about' }
  | { readonly type: 'read'; readonly folder: string }
  | { readonly type: 'embed'; readonly texts: readonly string[] }
  /** `vectors` undefined: neighbours come with each search. */
  | {
      readonly type: 'index';
      readonly knowledge: string;
      readonly passages: readonly Passage[];
      readonly vectors: Float32Array | undefined;
    }
  | {
      readonly type: 'search';
      readonly knowledge: string;
      readonly question: string;
      readonly most: number;
      readonly near: readonly Neighbour[] | undefined;
    }
);

export type KnowledgeReply = { readonly id: number } & (
  | { readonly reply: KnowledgeReplies[keyof KnowledgeReplies] }
  | {
      readonly failed: {
        readonly code: string | undefined;
        readonly message: string;
        readonly fix: string | undefined;
      };
    }
);
