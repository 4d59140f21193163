/**
 * The desk that the agent works at in the spoken tasks: a small HTTP service over four tables of a real database, and a way to lay the
 * tables and to look into them. Whatever is repeated with its Idempotency-Key is done once.
 *
 * POST   /appointments {name, at}  DELETE /appointments?name=  GET /orders/NUMBER (which is noted)  POST /callbacks {phone}
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { Database, Row as DatabaseRow, Statement } from '../../store/database';
import type { Rows } from './grade';

const SCHEMA: readonly string[] = [
  'CREATE TABLE appointments (name text NOT NULL, at timestamp NOT NULL UNIQUE, request text UNIQUE)',
  'CREATE TABLE orders (number text PRIMARY KEY, state text NOT NULL)',
  'CREATE TABLE enquiries (number text NOT NULL, found boolean NOT NULL, request text UNIQUE)',
  'CREATE TABLE callbacks (phone text NOT NULL, request text UNIQUE)',
];
const MOST_BODY_CHARACTERS = 10_000;

export interface Desk {
  readonly url: string;
  /** The tables hold these rows and no others. */
  lay(rows: Rows): Promise<void>;
  look(): Promise<Rows>;
  /** The database is the caller's to close. */
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, string>>;
}

/** `database`: an empty one. */
export async function openDesk(database: Database): Promise<Desk> {
  for (const sql of SCHEMA) await database.query({ sql });
  const server = createServer((request, response) => {
    void serve(database, request)
      .catch((): Reply => ({ status: 500, body: { title: 'The tables cannot be read.' } }))
      .then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return {
    url: `http://localhost:${port}`,
    lay: (rows) => database.transaction(laying(rows)),
    async look() {
      const all = async (sql: string) => (await database.query({ sql })).map(inWords);
      return {
        appointments: await all("SELECT name, to_char(at, 'YYYY-MM-DD HH24:MI') AS at FROM appointments"),
        orders: await all('SELECT number, state FROM orders'),
        enquiries: await all('SELECT number, found::text AS found FROM enquiries'),
        callbacks: await all('SELECT phone FROM callbacks'),
      };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(database: Database, request: IncomingMessage): Promise<Reply> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const key = request.headers['idempotency-key']?.toString() ?? null;
  const once = { database, key };
  const number = /^\/orders\/([^/]+)$/.exec(pathname)?.[1];
  if (request.method === 'GET' && number !== undefined) return orderState(once, decodeURIComponent(number));
  if (request.method === 'DELETE' && pathname === '/appointments') return cancel(once, searchParams.get('name') ?? '');
  if (request.method !== 'POST') return { status: 404, body: { title: 'There is no such thing here.' } };
  const given = await bodyOf(request);
  if (pathname === '/appointments') return book(once, given);
  if (pathname === '/callbacks') return callBack(once, given);
  return { status: 404, body: { title: 'There is no such thing here.' } };
}

interface Once {
  readonly database: Database;
  readonly key: string | null;
}

async function book({ database, key }: Once, { name = '', at = '' }: Readonly<Record<string, string>>): Promise<Reply> {
  if (name === '' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(at)) return declined('A name and a time are needed.', 400);
  const insert =
    'INSERT INTO appointments (name, at, request) VALUES ($1, $2::timestamp, $3) ON CONFLICT DO NOTHING RETURNING name';
  const booked = await database.query({ sql: insert, values: [name, at, key] });
  const before = await database.query({ sql: 'SELECT 1 FROM appointments WHERE request = $1', values: [key] });
  if (booked.length > 0 || before.length > 0) return told('You are booked. We look forward to seeing you.');
  return declined('I am sorry, that time is taken already.', 409);
}

async function cancel({ database }: Once, name: string): Promise<Reply> {
  const sql = 'DELETE FROM appointments WHERE lower(name) = lower($1) RETURNING name';
  const gone = await database.query({ sql, values: [name] });
  return gone.length > 0
    ? told('Your appointment is cancelled.')
    : declined('I have found no appointment under that name.', 404);
}

async function orderState({ database, key }: Once, number: string): Promise<Reply> {
  const [order] = await database.query({ sql: 'SELECT state FROM orders WHERE number = $1', values: [number] });
  const sql = 'INSERT INTO enquiries (number, found, request) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING';
  await database.query({ sql, values: [number, order !== undefined, key] });
  return order === undefined
    ? declined('I have found no order with that number.', 404)
    : told(`Your order ${String(order['state'])}.`);
}

async function callBack({ database, key }: Once, { phone = '' }: Readonly<Record<string, string>>): Promise<Reply> {
  if (!/^\+?\d{5,15}$/.test(phone)) return declined('A phone number is needed.', 400);
  const sql = 'INSERT INTO callbacks (phone, request) VALUES ($1, $2) ON CONFLICT DO NOTHING';
  await database.query({ sql, values: [phone, key] });
  return told('We will call you back today.');
}

function told(text: string): Reply {
  return { status: 200, body: { text } };
}

function declined(detail: string, status: number): Reply {
  return { status, body: { detail } };
}

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, string>>> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MOST_BODY_CHARACTERS) return {};
  }
  try {
    const read: unknown = JSON.parse(text);
    const entries = typeof read === 'object' && read !== null ? Object.entries(read) : [];
    return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return {};
  }
}

function laying({ appointments, orders, enquiries, callbacks }: Rows): Statement[] {
  const insert = (sql: string, rows: readonly Readonly<Record<string, string>>[], columns: readonly string[]) =>
    rows.map((row): Statement => ({ sql, values: columns.map((column) => row[column]) }));
  return [
    { sql: 'TRUNCATE appointments, orders, enquiries, callbacks' },
    ...insert('INSERT INTO appointments (name, at) VALUES ($1, $2::timestamp)', appointments, ['name', 'at']),
    ...insert('INSERT INTO orders (number, state) VALUES ($1, $2)', orders, ['number', 'state']),
    ...insert('INSERT INTO enquiries (number, found) VALUES ($1, $2::boolean)', enquiries, ['number', 'found']),
    ...insert('INSERT INTO callbacks (phone) VALUES ($1)', callbacks, ['phone']),
  ];
}

function inWords(row: DatabaseRow): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, String(value)]));
}
