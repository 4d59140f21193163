/**
 * Writes a WAV file while its sound happens, off the calling thread's path: blocks of a second go to disk one after the
 * other, and after each the header is brought up to date, so that a file cut off by a crash is whole up to that second.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { TrunklineError } from '../core/errors';
import { type WavFormat, wavHeader, wavHeaderBytes } from './wav';

/** Two minutes of 16 kHz stereo that the disk may lag behind before the recording is given up. */
const maxPendingBytes = 8 * 1024 * 1024;

export class WavWriter {
  private block: Int16Array;
  private filled = 0;
  private pendingBytes = 0;
  private writtenBytes = 0;
  private handle: FileHandle | undefined;
  private tail: Promise<void>;
  private failure: TrunklineError | undefined;
  private closed = false;

  /** `onFailed` is called once if the file cannot be opened or written; what follows is then ignored. */
  constructor(
    readonly path: string,
    readonly format: WavFormat,
    private readonly onFailed: (error: TrunklineError) => void,
  ) {
    this.block = new Int16Array(format.sampleRate * format.channels);
    this.tail = this.run(async () => {
      this.handle = await open(path, 'w', 0o600);
      await this.handle.write(wavHeader(format, 0), 0, wavHeaderBytes, 0);
    });
  }

  /** Interleaved samples. */
  write(samples: Int16Array): void {
    if (this.failure !== undefined || this.closed) return;
    let at = 0;
    while (at < samples.length) {
      const taken = Math.min(samples.length - at, this.block.length - this.filled);
      this.block.set(samples.subarray(at, at + taken), this.filled);
      this.filled += taken;
      at += taken;
      if (this.filled === this.block.length) this.flush();
    }
  }

  /** Writes what is left and closes the file; idempotent; never rejects. */
  async close(): Promise<void> {
    if (!this.closed) {
      if (this.filled > 0) this.flush();
      this.closed = true;
    }
    await this.tail;
    await this.handle?.close().catch(() => undefined);
    this.handle = undefined;
  }

  private flush(): void {
    const bytes = Buffer.from(this.block.buffer, 0, this.filled * 2);
    this.block = new Int16Array(this.block.length);
    this.filled = 0;
    this.pendingBytes += bytes.length;
    if (this.pendingBytes > maxPendingBytes) {
      this.fail(new Error('the disk is too slow'));
      return;
    }
    this.tail = this.tail.then(() =>
      this.run(async () => {
        await this.handle!.write(bytes, 0, bytes.length, wavHeaderBytes + this.writtenBytes);
        this.writtenBytes += bytes.length;
        this.pendingBytes -= bytes.length;
        await this.handle!.write(wavHeader(this.format, this.writtenBytes), 0, wavHeaderBytes, 0);
      }),
    );
  }

  private async run(step: () => Promise<void>): Promise<void> {
    if (this.failure !== undefined) return;
    try {
      await step();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(cause: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = new TrunklineError('audio.recording-failed', 'The recording could not be written to disk.', {
      fix: 'Check that the folder exists, is writable and has room.',
      cause,
    });
    this.onFailed(this.failure);
  }
}
