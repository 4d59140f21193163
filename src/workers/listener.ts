/** Entry point of the listener thread: Silero and our own network for sounds on the audio that media threads send, reports to the control thread. */
import { join } from 'node:path';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { TrunklineError } from '../core/errors';
import { Listener } from '../listener/listener';
import type { FromListener, ListenerCommand } from '../listener/protocol';
import type { ToListener } from '../media/protocol';
import { openModelFolder } from '../model/manifest';
import { OverlapSoundNet } from '../turn/overlap-sound';
import { SileroVad } from '../turn/silero-vad';
import { DEFAULT_VAD } from '../turn/vad';

function serve(control: MessagePort): void {
  const post = (message: FromListener) => {
    control.postMessage(message, message.type === 'heard' ? [message.pcm.buffer as ArrayBuffer] : []);
  };
  const ports: MessagePort[] = [];
  let vad: SileroVad | undefined;
  let sounds: OverlapSoundNet | undefined;
  let listener: Listener | undefined;

  async function load(command: Extract<ListenerCommand, { type: 'load' }>): Promise<void> {
    const folder = await openModelFolder(join(command.modelsDir, 'silero-vad'));
    vad = await SileroVad.open(await folder.read('silero-vad.onnx'));
    const soundFolder = await openModelFolder(join(command.modelsDir, 'overlap-sound'));
    sounds = await OverlapSoundNet.open(await soundFolder.read('overlap-sound.onnx'));
    const network = vad;
    listener = new Listener({
      openStream: () => network.openStream(),
      post,
      // A fault of the network is a fault of all calls: the thread ends, and its owner is told.
      onError: (error) => {
        throw error;
      },
      vad: { ...DEFAULT_VAD, ...command.vad },
      sounds,
    });
    post({ type: 'ready' });
  }

  control.on('message', (command: ListenerCommand) => {
    switch (command.type) {
      case 'load':
        load(command).catch((error: unknown) => {
          const known = error instanceof TrunklineError ? error : undefined;
          post({
            type: 'failed',
            code: known?.code ?? 'listener.load-failed',
            message: error instanceof Error ? error.message : String(error),
            fix: known?.fix,
          });
        });
        return;
      case 'attach-media':
        ports.push(command.port);
        command.port.on('message', (message: ToListener) => listener?.receive(message));
        return;
      case 'dump':
        post({
          type: 'dumped',
          requestId: command.requestId,
          dump: listener?.dump() ?? { sessions: 0, windows: 0, windowsJudged: 0, windowsDropped: 0 },
        });
        return;
      case 'shutdown':
        for (const port of ports) port.close();
        void vad?.close();
        void sounds?.close();
        control.close();
        return;
    }
  });
}

if (parentPort === null) {
  throw new TrunklineError('listener.no-parent', 'The listener thread was started as a program.', {
    fix: 'Start it through ListenerThread.',
  });
}
serve(parentPort);
