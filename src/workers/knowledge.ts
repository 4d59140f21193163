/** Entry point of the thread that reads knowledge folders and finds passages: the embedding model lives here, and nowhere else. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { TrunklineError } from '../core/errors';
import { PassageIndex } from '../knowledge/passage-index';
import type { KnowledgeReplies, KnowledgeReply, KnowledgeRequest } from '../knowledge/protocol';
import { readKnowledgeFolder } from '../knowledge/read-folder';
import { RelevanceTable } from '../model/brain/relevance';
import { SentenceEmbedder } from '../model/embedding/sentence-embedder';
import { openModelFolder } from '../model/manifest';

const { modelsDir, threads } = workerData as { readonly modelsDir: string; readonly threads: number };
const opening = open();
opening.catch(() => undefined);
const indexes = new Map<string, PassageIndex>();
let last: Promise<unknown> = Promise.resolve();

async function open() {
  const [model, brain] = await Promise.all(
    ['minilm-l6', 'smollm2-135m'].map((name) => openModelFolder(join(modelsDir, name))),
  );
  const table = new RelevanceTable(JSON.parse(await brain!.readText('relevance.json')));
  return { table, embedder: await SentenceEmbedder.open(model!, threads) };
}

async function serve(request: KnowledgeRequest): Promise<KnowledgeReplies[keyof KnowledgeReplies]> {
  const { table, embedder } = await opening;
  switch (request.type) {
    case 'about':
      return { model: embedder.name, width: embedder.width };
    case 'read':
      return readKnowledgeFolder(request.folder);
    case 'embed':
      return embedder.embed(request.texts);
    case 'index':
      indexes.set(request.knowledge, new PassageIndex(table, request.passages, request.vectors));
      return undefined;
    case 'search': {
      const near = request.near ?? (await embedder.embed([request.question]));
      const found = indexes.get(request.knowledge)?.search(request.question, near, request.most) ?? [];
      return found.map(({ passage: { file, heading, text }, score }) => ({
        file,
        ...(heading === '' ? {} : { heading }),
        passage: text,
        score,
      }));
    }
  }
}

parentPort?.on('message', (request: KnowledgeRequest | 'close') => {
  last = last.then(async () => {
    if (request === 'close') {
      await opening.then(({ embedder }) => embedder.close()).catch(() => undefined);
      parentPort?.close();
      return;
    }
    const { id } = request;
    let reply: KnowledgeReply;
    try {
      reply = { id, reply: await serve(request) };
    } catch (error) {
      const { code, fix } = error instanceof TrunklineError ? error : { code: undefined, fix: undefined };
      reply = { id, failed: { code, message: error instanceof Error ? error.message : String(error), fix } };
    }
    parentPort?.postMessage(reply);
  });
});
