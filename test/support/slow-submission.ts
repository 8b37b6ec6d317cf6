import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { eventually } from './app.js';
import { makePdf } from './documents.mjs';
import { anEmail, formOf } from './leads.js';

/** Begins a submission, and gives what sends its second half and waits for the answer. */
export async function aSlowSubmission(url: string, dataDir: string): Promise<() => Promise<IncomingMessage>> {
  const form = new Response(formOf({ email: anEmail(), file: { bytes: makePdf(300_000) } }));
  const body = Buffer.from(await form.arrayBuffer());
  const headers = { 'Content-Type': form.headers.get('content-type') ?? '', 'Content-Length': body.length };
  const upload = request(`${url}/api/v1/leads`, { method: 'POST', headers, agent: false });
  const answer = once(upload, 'response') as Promise<[IncomingMessage]>;
  answer.catch(() => undefined);
  upload.write(body.subarray(0, 200_000));
  await eventually('the upload is under way', async () => {
    const incoming = join(dataDir, 'uploads', '.incoming');
    const [name] = await readdir(incoming);
    return name !== undefined && (await stat(join(incoming, name))).size > 50_000;
  });
  return async () => {
    upload.end(body.subarray(200_000));
    return (await answer)[0];
  };
}
