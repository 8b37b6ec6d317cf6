// People for the benches: names of many scripts, and leads by the million made of them in a few statements.

/** @import pg from 'pg' */

/** The most frequent first. */
export const FIRST_NAMES = [
  'Maria, Anna, Mohammed, Ana, Ivan, Li, Fatima, José, Peter, Sofía, Zoë, Jürgen, François',
  'Łukasz, Ağlaya, Åsa, Ødegård, Þóra, Nguyễn, İbrahim, Chloé, Noël, Renée, Siân, Māra, Šárka',
  'Анна, Дмитрий, Ольга, Юрій, Ѓорѓи, Ελένη, Γιώργος, Άννα, مريم, محمد, یاسمین, נועה, דוד',
  '伟, 秀英, 陽菜, 蓮, さくら, 서연, 민준, प्रिया, अमित, সুমাইয়া, கவிதா, สมชาย, ნინო, Անի, Tigist, አበበ',
  'James, Mary, John, Patricia, Emma, Lukas, Marie-Claire, D’Angelo, Ngozi, Kwame, Aroha, Leilani',
].flatMap((line) => line.split(', '));

/** The most frequent first. */
export const LAST_NAMES = [
  'García, Müller, Smith, 王, 李, Иванов, Nowak, Silva, Kim, 김, Singh, Khan, Nguyễn, Rossi, Jansen',
  'Öztürk, Özil, Ångström, Æbelø, Łukasiewicz, Čapek, Ðorđević, Şahin, Ñíguez, Õunapuu, Żak, O’Neill',
  'Петренко, Шевченко, Ђоковић, Παπαδόπουλος, Οικονόμου, الأحمد, حسيني, رضایی, כהן, לוי, 佐藤, 鈴木, 高橋',
  '박, 최, शर्मा, पटेल, রহমান, சுப்பிரமணியன், ศรีสุข, ბერიძე, Սարգսյան, ተስፋዬ, van der Berg, de la Cruz',
  'von und zu Hohenstein, MacGregor, Brown, Jones, Taylor, Schmidt, Fischer, Meyer, Dubois, Lefèvre, Bianchi',
].flatMap((line) => line.split(', '));
/** Mixed with the names above to double names, as many as there are in a big town. */
const DOUBLE_SHARE = 0.4;
/** As if older ones had been removed. */
const DAYS_OF_MAILS = 90;

/**
 * Leads with file, story and, for the last months, both mails, over three years and more of them recently; 15 in 100 are still to be contacted, most
 * of those new. What is drawn by lot is the same in every run, ids aside. The database must be empty, and its client a superuser's: triggers
 * and references keep still, so that a million takes minutes; the kept totals are set afterwards.
 * @param {pg.Client} client @param {number} count
 */
export async function fillLeads(client, count) {
  await client.query(
    `SET session_replication_role = replica; SET synchronous_commit = off; SET work_mem = '64MB'; SET maintenance_work_mem = '512MB'`,
  );
  await client.query(`SELECT setseed(0.25)`);
  await client.query(`
    CREATE TEMP TABLE seeded (id uuid, first_name text, last_name text, email text, key text, made timestamptz, reached timestamptz)`);
  await client.query(
    `INSERT INTO seeded
     SELECT id, ($1::text[])[1 + floor(power(a, 2) * $3::int)::int],
       ($2::text[])[1 + floor(power(b, 2) * $4::int)::int]
         || CASE WHEN c < ${DOUBLE_SHARE} THEN '-' || ($2::text[])[1 + floor(c / ${DOUBLE_SHARE} * $4::int)::int] ELSE '' END,
       substr(md5(n::text), 1, 10) || n || '@bench.example.com', id || '_resume.pdf', made,
       CASE WHEN d >= CASE WHEN e < 0.2 THEN 0.45 ELSE 0.075 END
         THEN least(made - ln(1 - f) * interval '2 days', date_trunc('milliseconds', now())) END
     FROM (SELECT *, date_trunc('milliseconds', now() - interval '1095 days' * power(e, 2)) AS made
           FROM (SELECT n, gen_random_uuid() AS id, random() AS a, random() AS b, random() AS c, random() AS d, random() AS e,
                   random() AS f FROM generate_series(1, $5::int) AS n) AS drawn) AS people`,
    [FIRST_NAMES, LAST_NAMES, FIRST_NAMES.length, LAST_NAMES.length, count],
  );
  // an index that is made of all rows at once takes a tenth of the time; those that constraints stand on stay
  const { rows: indexes } = await client.query(
    `SELECT indexrelid::regclass AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
     WHERE indrelid = ANY ($1::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)`,
    [['files', 'leads', 'lead_status_changes', 'mail_messages']],
  );
  for (const { name } of indexes) await client.query(`DROP INDEX ${name}`);
  for (const statement of [
    `INSERT INTO files (id, storage_key, original_name, media_type, size_bytes, sha256, created_at, owner_kind, owner_id)
     SELECT id, key, 'resume.pdf', 'application/pdf', 102400, md5(key) || md5(id::text), made, 'lead', id FROM seeded ORDER BY id`,
    `INSERT INTO leads (id, first_name, last_name, email, resume_path, status, created_at, updated_at, reached_out_at)
     SELECT id, first_name, last_name, email, key, (CASE WHEN reached IS NULL THEN 'PENDING' ELSE 'REACHED_OUT' END)::lead_status,
       made, coalesce(date_trunc('milliseconds', reached), made), date_trunc('milliseconds', reached) FROM seeded ORDER BY made`,
    `INSERT INTO lead_status_changes (id, lead_id, to_status, changed_by, changed_at)
     SELECT gen_random_uuid(), id, 'PENDING', 'public', made FROM seeded ORDER BY made`,
    `INSERT INTO lead_status_changes (id, lead_id, from_status, to_status, changed_by, changed_at)
     SELECT gen_random_uuid(), id, 'PENDING', 'REACHED_OUT', 'admin', reached FROM seeded WHERE reached IS NOT NULL`,
    `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, state, attempts, created_at, sent_at)
     SELECT gen_random_uuid(), template, CASE template WHEN 'prospect_confirmation' THEN email ELSE 'attorney@bench.example.com' END,
       jsonb_build_object('first_name', first_name, 'last_name', last_name), 'lead', id, 'sent', 1, made, made + interval '2 seconds'
     FROM seeded, unnest(ARRAY['prospect_confirmation', 'attorney_notification']) AS template
     WHERE made > now() - interval '${DAYS_OF_MAILS} days' ORDER BY made`,
    `UPDATE lead_totals AS t SET total =
       CASE slot WHEN 0 THEN (SELECT count(*) FROM leads WHERE leads.status = t.status) ELSE 0 END`,
    'DROP TABLE seeded',
    ...indexes.map(({ definition }) => definition),
    'RESET ALL',
    'VACUUM (ANALYZE)',
  ])
    await client.query(statement);
}
