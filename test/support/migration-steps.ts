/** A statement without its comments, texts and bodies of functions, in capitals with single spaces. */
function bare(statement: string): string {
  return statement
    .replace(/\$(\w*)\$[^]*?\$\1\$/g, "''")
    .replace(/--[^\n]*/g, '')
    .replace(/\/\*[^]*?\*\//g, '')
    .replace(/'(?:[^']|'')*'/g, "''")
    .replace(/\s+/g, ' ')
    .trim()
    .toUpperCase();
}

/** The parts between separators that stand in no brackets. */
function split(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = [];
  let [depth, start] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (text[at] !== separator || depth > 0) continue;
    parts.push(text.slice(start, at));
    start = at + 1;
  }
  parts.push(text.slice(start));
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

const TABLE = String.raw`(?:IF NOT EXISTS )?(?:IF EXISTS )?(?:ONLY )?([\w."]+)`;

/** What the copy that still runs, or the rows that are there, would not survive; and what to do instead. */
const WHOLE: readonly (readonly [RegExp, string])[] = [
  [
    /^DROP (TABLE|VIEW|MATERIALIZED VIEW|SEQUENCE|TYPE|DOMAIN|SCHEMA)\b/,
    'takes away what the copy that still runs uses',
  ],
  [/^TRUNCATE\b/, 'empties a table that the copy that still runs uses'],
  [
    /^ALTER (TABLE|INDEX|VIEW|SEQUENCE|TYPE|SCHEMA|FUNCTION)\b.*\bRENAME\b/,
    'renames what the copy that still runs knows by its old name',
  ],
  [/^ALTER \w+ .*\bSET SCHEMA\b/, 'moves what the copy that still runs looks for where it was'],
];
const OF_A_TABLE: readonly (readonly [RegExp, string])[] = [
  [/^DROP (COLUMN )?(IF EXISTS )?(?!CONSTRAINT\b)[\w"]+/, 'takes away a column that the copy that still runs reads'],
  [
    /^ALTER (COLUMN )?[\w"]+ (SET DATA )?TYPE\b/,
    'rewrites the table, and the copy that still runs writes the old type',
  ],
  [
    /^ALTER (COLUMN )?[\w"]+ SET NOT NULL\b/,
    'refuses rows of the copy that still runs; add a CHECK that is NOT VALID first',
  ],
  [/^ALTER (COLUMN )?[\w"]+ DROP DEFAULT\b/, 'takes away the value that the copy that still runs leaves to the table'],
  [
    /^ADD (COLUMN )?(IF NOT EXISTS )?(?!CONSTRAINT\b|CHECK\b|UNIQUE\b|PRIMARY\b|FOREIGN\b|EXCLUDE\b)[\w"]+ (?=.*\bNOT NULL\b)(?!.*(\bDEFAULT\b|\bGENERATED\b))/,
    'the copy that still runs does not fill the column: give it a default',
  ],
  [
    /^ADD (CONSTRAINT [\w"]+ )?(CHECK|FOREIGN KEY)\b(?!.*\bNOT VALID\b)/,
    'reads the whole table while nobody may write: add it NOT VALID, and VALIDATE it in a migration of its own',
  ],
  [
    /^ADD (CONSTRAINT [\w"]+ )?(UNIQUE|PRIMARY KEY|EXCLUDE)\b(?!.*\bUSING INDEX\b)/,
    'builds its index while nobody may write: CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … USING INDEX',
  ],
];

/**
 * What is wrong with the steps of one migration for a copy of the program that goes on beside it, as sentences. Tables that
 * the migration makes itself are nobody's yet, so that everything may be done to them.
 */
export function unsafeSteps(statements: readonly string[]): string[] {
  const found: string[] = [];
  const made = new Set<string>();
  const isNew = (table: string | undefined): boolean => table !== undefined && made.has(table);
  for (const statement of statements.flatMap((each) => split(bare(each), ';'))) {
    const said = (why: string, step = statement): number => found.push(`${step.slice(0, 100)}: ${why}`);
    const created = new RegExp(`^CREATE (?:UNLOGGED )?TABLE ${TABLE}`).exec(statement)?.[1];
    if (created !== undefined) made.add(created);
    for (const [pattern, why] of WHOLE)
      if (pattern.test(statement) && !isNew(new RegExp(`TABLE ${TABLE}`).exec(statement)?.[1])) said(why);
    const [, altered, actions] = new RegExp(`^ALTER TABLE ${TABLE} (.*)$`).exec(statement) ?? [];
    if (actions !== undefined && !isNew(altered) && !/^RENAME\b|^SET SCHEMA\b/.test(actions)) {
      for (const action of split(actions, ','))
        for (const [pattern, why] of OF_A_TABLE)
          if (pattern.test(action)) said(why, `ALTER TABLE ${altered ?? ''} ${action}`);
    }
    const indexed = /^CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY).*? ON (?:ONLY )?([\w."]+)/.exec(statement)?.[1];
    if (indexed !== undefined && !isNew(indexed))
      said('builds the index while nobody may write: CREATE INDEX CONCURRENTLY, with transaction = false');
  }
  return found;
}
