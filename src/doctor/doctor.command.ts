import { pino } from 'pino';
import { Clock } from '../common/clock.js';
import type { LoneCommand } from '../common/command.js';
import { readEnvironment } from '../config/environment.js';
import { examine } from './doctor.js';
import type { Finding } from './finding.js';

const FILE = '.env';

/** Before a start, and when something is wrong. */
export const DOCTOR: LoneCommand = {
  name: 'doctor',
  doc: 'Checks settings, database and replicas, storage, notes of erasures, mail server, clock, disk and port, and says what to do. Changes nothing; works while Forecourt runs and while the database is away.',
  options: { json: { type: 'boolean', doc: 'prints JSON instead of a table' } },
  async runAlone(options, say) {
    const patient = { environment: readEnvironment(FILE), file: FILE };
    const findings = await examine(patient, new Clock(), pino({ level: 'silent' }));
    const isWell = findings.every(({ state }) => state !== 'failed');
    if (options['json'] === true) say(JSON.stringify({ is_well: isWell, checks: findings }, null, 2));
    else for (const line of linesOf(findings)) say(line);
    return isWell;
  },
};

/** One line for each finding, what to do below it, and the sum at the end. */
export function linesOf(findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const count = (state: Finding['state']): number => findings.filter((each) => each.state === state).length;
  return [
    ...findings.flatMap(({ check, state, says, advice }) => {
      const line = `${state.padEnd(8)} ${check.padEnd(width)}  ${oneLine(says)}`;
      return advice === null ? [line] : [line, `${' '.repeat(width + 9)}  → ${advice}`];
    }),
    '',
    `${count('failed')} failed, ${count('warning')} to think about, ${count('ok')} ok`,
  ];
}

/** What servers say is shown on a terminal: on one line, and without signs that steer it. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
