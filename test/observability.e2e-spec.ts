import type { SyntaxNodeRef } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { PROJECT_ROOT } from '../src/config/project-root.js';
import { eventually } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { makeDatabase } from './support/database.js';
import { anEmail } from './support/leads.js';
import { type Sample, samplesOf, valueOf } from './support/metrics.js';
import { someSettings, startProgram } from './support/program.js';

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const fileOf = (name: string): string => readFileSync(join(PROJECT_ROOT, 'ops', name), 'utf8');
const { panels } = JSON.parse(fileOf('grafana-dashboard.json')) as { panels: readonly Panel[] };
const { groups } = parse(fileOf('prometheus-alerts.yaml')) as {
  groups: readonly { readonly rules: readonly Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);

const TARGETS = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => [title, expr, legendFormat] as const),
);
const EXPRESSIONS = [
  ...TARGETS.map(([title, expr]) => [title, expr] as const),
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
];

/** What Prometheus itself puts on every series. */
const OF_PROMETHEUS = ['instance'];
/** Values that a healthy process has not exported yet. */
const TO_COME: Readonly<Record<string, readonly string[]>> = {
  'forecourt_http_request_duration_seconds_count status': ['5xx'],
};

let samples: readonly Sample[] = [];

beforeAll(async () => {
  const password = 'Blue-Harbour-42-Lantern';
  const database = await makeDatabase();
  atEnd(() => database.drop());
  const program = await startProgram(
    await someSettings({
      DATABASE_URL: database.url,
      // no standby, which is measured as well
      DATABASE_REPLICA_URLS: database.url,
      METRICS_PORT: '0',
      ADMIN_PASSWORD: password,
      ATTORNEY_EMAIL: 'attorney@practice.test',
    }),
  );
  const url = `http://127.0.0.1:${await program.says(/metrics are on port (\d+)/)}/metrics`;
  await program.signIn(password);
  expect((await program.submit(anEmail())).status).toBe(201);
  samples = await eventually('mails are sent', async () => {
    const found = samplesOf(await (await fetch(url)).text());
    return valueOf(found, 'forecourt_mail_attempts_total', { outcome: 'sent' }) === 2 && found;
  });
});
afterAll(() => cleanUp());

const labelsOf = (metric: string): Set<string> =>
  new Set(samples.filter(({ name }) => name === metric).flatMap(({ labels }) => Object.keys(labels)));

interface Used {
  readonly errors: string[];
  readonly metrics: string[];
  readonly matchers: { readonly metric: string; readonly label: string; readonly value: string }[];
  readonly groupings: string[];
}

/** What an expression asks for. */
function usedBy(expression: string): Used {
  const text = expression.replaceAll('$__rate_interval', '5m');
  const textOf = ({ from, to }: { from: number; to: number }): string => text.slice(from, to);
  const used: Used = { errors: [], metrics: [], matchers: [], groupings: [] };
  parser.parse(text).iterate({
    enter(node: SyntaxNodeRef) {
      if (node.type.isError) used.errors.push(`at ${node.from} of ${text}`);
      if (node.name === 'VectorSelector') {
        const identifier = node.node.getChild('Identifier');
        if (identifier === null) used.errors.push(`no metric is named in ${textOf(node)}`);
        else used.metrics.push(textOf(identifier));
        for (const matcher of node.node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []) {
          const label = matcher.getChild('LabelName');
          const value = matcher.getChild('StringLiteral');
          if (identifier === null || label === null || value === null) used.errors.push(`what is ${textOf(matcher)}`);
          else
            used.matchers.push({
              metric: textOf(identifier),
              label: textOf(label),
              value: textOf(value).slice(1, -1),
            });
        }
      }
      if (node.name === 'GroupingLabels')
        used.groupings.push(...node.node.getChildren('LabelName').map((each) => textOf(each)));
    },
  });
  return used;
}

/** What is wrong with an expression, given what a process exports. */
function problemsOf(expression: string): string[] {
  const { errors, metrics, matchers, groupings } = usedBy(expression);
  const exported = new Set(samples.map(({ name }) => name));
  const labels = new Set([...OF_PROMETHEUS, ...metrics.flatMap((metric) => [...labelsOf(metric)])]);
  return [
    ...errors,
    ...(metrics.length === 0 ? ['nothing is asked for'] : []),
    ...metrics.filter((metric) => !exported.has(metric)).map((metric) => `${metric} is not exported`),
    ...groupings.filter((label) => !labels.has(label)).map((label) => `nothing has the label ${label}`),
    ...matchers
      .filter(({ metric, label, value }) => !(TO_COME[`${metric} ${label}`] ?? []).includes(value))
      .filter(({ metric, label, value }) => valueOf(samples, metric, { [label]: value }) === undefined)
      .map(({ metric, label, value }) => `no series ${metric}{${label}="${value}"}`),
  ];
}

describe('the dashboard and the alerts', () => {
  it.each(EXPRESSIONS)('%s asks only for what a process exports: %s', (_, expression) => {
    expect(problemsOf(expression)).toEqual([]);
  });

  it.each(TARGETS.filter(([, , legend]) => legend.includes('{{')))(
    '%s names its lines by labels that they have: %s',
    (_, expression, legend) => {
      const { metrics, groupings } = usedBy(expression);
      const kept =
        groupings.length > 0 ? groupings : [...OF_PROMETHEUS, ...metrics.flatMap((metric) => [...labelsOf(metric)])];

      for (const [, label = ''] of legend.matchAll(/\{\{(\w+)\}\}/g)) expect(kept).toContain(label);
    },
  );

  it('every metric of ours is watched by a panel or a rule', () => {
    const asked = new Set(EXPRESSIONS.flatMap(([, expression]) => usedBy(expression).metrics.map(familyOf)));
    const ours = new Set(samples.map(({ name }) => familyOf(name)).filter((name) => name.startsWith('forecourt_')));

    expect([...ours].filter((name) => !asked.has(name))).toEqual([]);
  });

  it.each(rules)(
    '$alert says what is wrong, what to do, and whom it wakes',
    ({ alert, labels, annotations, ...rule }) => {
      expect(alert).toMatch(/^Forecourt[A-Z][A-Za-z]+$/);
      expect(labels).toEqual({ severity: expect.stringMatching(/^(page|ticket)$/) });
      expect(annotations).toEqual({
        summary: expect.stringMatching(/.{15}/),
        description: expect.stringMatching(/.{20}/),
      });
      expect(rule.for ?? '0s').toMatch(/^\d+[smh]$/);
    },
  );

  it('no two rules and no two panels have the same name', () => {
    for (const names of [rules.map(({ alert }) => alert), panels.map(({ title }) => title)])
      expect(new Set(names).size).toBe(names.length);
  });
});

describe('this check', () => {
  it.each([
    ['sum(rate(forecourt_requests_total[5m]))', 'forecourt_requests_total is not exported'],
    ['sum by (path) (forecourt_jobs)', 'nothing has the label path'],
    ['forecourt_jobs{state="dead"}', 'no series forecourt_jobs{state="dead"}'],
    ['forecourt_jobs{mood="buried"}', 'no series forecourt_jobs{mood="buried"}'],
    ['sum(rate(forecourt_jobs[5m])', expect.stringMatching(/^at \d+ of /)],
    ['1 + 1', 'nothing is asked for'],
  ])('sees what is wrong with %s', (expression, problem) => {
    expect(problemsOf(expression)).toContainEqual(problem);
  });
});

describe('what is exported', () => {
  it('follows the conventions: counters end in _total, times are in seconds and sizes in bytes', () => {
    const ours = [...new Set(samples.map(({ name }) => name))].filter((name) => name.startsWith('forecourt_'));

    expect(ours.length).toBeGreaterThan(25);
    expect(ours.filter((name) => /_(ms|milliseconds|minutes|kb|mb)(_|$)/.test(name))).toEqual([]);
  });

  it('is little, and the same labels never have more values than there are routes', () => {
    expect(samples.length).toBeLessThan(1500);
    expect(JSON.stringify(samples)).not.toMatch(/@|127\.0\.0\.1|admin"/);
  });
});

function familyOf(name: string): string {
  return name.replace(/_(bucket|sum|count)$/, '');
}
