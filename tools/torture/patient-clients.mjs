// Clients that are told to come back, and do: with the same submission, until it is taken or known already.
import { setTimeout as sleep } from 'node:timers/promises';
import { Clients } from '../torture-submissions.mjs';

/** @import { Submission } from '../torture-submissions.mjs' */

const AGAIN_AFTER_MS = 1000;

export class PatientClients extends Clients {
  /** @type {Set<string>} who was refused at least once */
  refused = new Set();
  /** @type {string[]} */
  codes = [];
  /** When the fault began, by `performance.now()`. */
  faultAt = 0;
  /** The longest wait for a refusal, in milliseconds: from the request, or from the fault that met it on its way. */
  longestRefusalMs = 0;
  taken = 0;

  /** @override @param {FormData} body @returns {Promise<Pick<Submission, 'outcome' | 'id' | 'answer'>>} */
  async submit(body) {
    for (let wasRefused = false; ; wasRefused = true) {
      const began = performance.now();
      const { status, text } = await this.ask(body);
      if (status === 201) {
        this.taken += 1;
        return { outcome: 'acknowledged', id: /"id":"([0-9a-f-]{36})"/.exec(text)?.[1] };
      }
      // the first attempt had been stored after all
      if (status === 409 && wasRefused) return { outcome: 'acknowledged' };
      const code = /"error_code":"([A-Z_]+)"/.exec(text)?.[1];
      if (status !== 503 || code === undefined) return { outcome: 'refused', answer: `${status} ${text}` };
      this.longestRefusalMs = Math.max(this.longestRefusalMs, performance.now() - Math.max(began, this.faultAt));
      this.refused.add(String(body.get('email')));
      this.codes.push(code);
      if (this.isOver) return { outcome: 'cut off' };
      await sleep(AGAIN_AFTER_MS);
    }
  }

  /** @param {FormData} body */
  async ask(body) {
    try {
      const response = await fetch(`${this.forecourt.url}/api/v1/leads`, { method: 'POST', body });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      return { status: 0, text: `no answer: ${String(/** @type {Error} */ (error).cause ?? error)}` };
    }
  }
}
