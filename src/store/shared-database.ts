/** One database for all parts of the agent that keep something in it: opened when the first asks, closed when the last is done. */
import type { Database } from './database';

export class SharedDatabase {
  private opening: Promise<Database> | undefined;
  private users = 0;

  constructor(private readonly connect: () => Promise<Database>) {}

  /** A handle of one's own, to be closed. Rejects with what opening failed with; the next who asks tries again. */
  async open(): Promise<Database> {
    this.users += 1;
    this.opening ??= this.connect();
    const { opening } = this;
    let database: Database;
    try {
      database = await opening;
    } catch (error) {
      this.users -= 1;
      if (this.opening === opening) this.opening = undefined;
      throw error;
    }
    let closed = false;
    return {
      query: (statement) => database.query(statement),
      transaction: (statements) => database.transaction(statements),
      close: async () => {
        if (closed) return;
        closed = true;
        this.users -= 1;
        if (this.users > 0) return;
        if (this.opening === opening) this.opening = undefined;
        await database.close();
      },
    };
  }
}
