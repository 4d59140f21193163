/**
 * An appointment book as a small HTTP service over one PostgreSQL table, for dialplans/examples/appointments.yaml.
 *
 *   DATABASE_URL=postgres://… PORT=3000 TOKEN_FILE=token node examples/appointments/service.mjs
 *
 * POST   /appointments {name, at}   201 with what was booked; 409 with what is free instead
 * DELETE /appointments {name}       by query; 200, or 404 in words
 *
 * A call that is repeated with its Idempotency-Key books once. Whoever calls shows the token that the file holds.
 */
import { readFileSync } from 'node:fs';
import express from 'express';
import pg from 'pg';

const { DATABASE_URL, PORT = '3000', HOST = '127.0.0.1', TOKEN_FILE } = process.env;
const token = TOKEN_FILE === undefined ? undefined : readFileSync(TOKEN_FILE, 'utf8').trim();
const database = new pg.Pool({ connectionString: DATABASE_URL, max: 4 });
// A server that goes away is found by the next query.
database.on('error', () => undefined);

await database.query(`
  CREATE TABLE IF NOT EXISTS appointments (
    id serial PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    at timestamp NOT NULL UNIQUE,
    request text UNIQUE
  )`);

const app = express();
app.use(express.json({ limit: '10kb' }));
app.use((request, response, next) => {
  if (token === undefined || request.get('authorization') === `Bearer ${token}`) next();
  else response.status(401).json({ title: 'No token.' });
});

app.post('/appointments', async (request, response) => {
  const { name, at } = request.body ?? {};
  if (typeof name !== 'string' || name === '' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(at)) {
    response.status(400).json({ detail: 'A name and a time are needed.' });
    return;
  }
  const key = request.get('idempotency-key') ?? null;
  const booked = await database.query(
    'INSERT INTO appointments (name, at, request) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id',
    [name, at, key],
  );
  const before = key === null ? { rowCount: 0 } : await database.query('SELECT 1 FROM appointments WHERE request = $1', [key]);
  if (booked.rowCount === 1 || before.rowCount === 1) {
    response.status(201).json({ text: `You are booked for ${spoken(at)}. We look forward to seeing you.` });
    return;
  }
  response.status(409).json({ detail: `I am sorry, ${spoken(at)} is taken already. Please choose another time.` });
});

app.delete('/appointments', async (request, response) => {
  const { name } = request.query;
  const gone = await database.query('DELETE FROM appointments WHERE lower(name) = lower($1) AND at > now() RETURNING at', [
    String(name ?? ''),
  ]);
  if (gone.rowCount > 0) response.json({ text: 'Your appointment is cancelled.' });
  else response.status(404).json({ detail: 'I have found no appointment under that name.' });
});

// Express tells a handler that takes four from the others.
app.use((_error, _request, response, _next) => {
  response.status(500).json({ title: 'The appointment book cannot be read.' });
});

function spoken(at) {
  const options = { weekday: 'long', day: 'numeric', month: 'long', hour: 'numeric', minute: '2-digit', timeZone: 'UTC' };
  return new Intl.DateTimeFormat('en-US', options).format(new Date(`${at}Z`));
}

const server = app.listen(Number(PORT), HOST, () => {
  process.stdout.write(`http://localhost:${server.address().port}\n`);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.close(() => void database.end()));
}
