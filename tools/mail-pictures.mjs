// Takes the pictures of the mails for docs/mail: each message as Chromium shows it on a phone and on a wide screen, light and
// dark, and in every other language on a light phone. Chromium is looked for in the PATH unless it is named:
// npm run docs:mails -- /path/to/chromium
import { mkdirSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { chromium } from 'playwright-core';

// compiled by `npm run build`, and so unknown to whoever checks types before
const built = (/** @type {string} */ path) => new URL(`../dist/src/${path}`, import.meta.url).href;
/** @type {typeof import('../src/config/config.js')} */
const { loadConfig } = await import(built('config/config.js'));
/** @type {typeof import('../src/mail/mail.templates.js')} */
const { MailTemplates } = await import(built('mail/mail.templates.js'));

const FOLDER = 'docs/mail';
const MESSAGES = ['prospect_confirmation', 'attorney_notification'];
const WIDTHS = [375, 1280];
const SCHEMES = /** @type {const} */ (['light', 'dark']);
const CONFIG = loadConfig({
  COMPANY_NAME: 'Byron & Partners',
  COMPANY_ADDRESS: '12 St James’s Square\\nLondon SW1Y 4LB',
  SMTP_FROM_NAME: 'Byron & Partners Intake',
});
const LEAD_ID = '0d7f7c52-3f6e-4a1c-9f7e-6a1f6f1f2c11';
const DATA = {
  prospect_name: 'Ada Lovelace',
  prospect_email: 'ada.lovelace@example.com',
  resume_filename: 'Ada Lovelace – Résumé.pdf',
  lead_id: LEAD_ID,
  dashboard_url: `https://desk.example.com/leads/${LEAD_ID}`,
};

/** @returns {string} */
function findChromium() {
  const names = [process.argv[2], 'chromium', 'chromium-browser', 'google-chrome'].filter((name) => name !== undefined);
  const found = names.find((name) => spawnSync(name, ['--version']).status === 0);
  if (found === undefined)
    throw new Error('no Chromium in the PATH; name one: npm run docs:mails -- /path/to/chromium');
  return found.includes('/') ? found : spawnSync('which', [found], { encoding: 'utf8' }).stdout.trim();
}

const templates = new MailTemplates(CONFIG);
await templates.onModuleInit();
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });

// a page that runs nothing and loads nothing needs no sandbox, which Chromium refuses to root
const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox', '--disable-gpu'] });
for (const locale of templates.locales) {
  for (const message of MESSAGES) {
    for (const width of WIDTHS) {
      for (const colorScheme of SCHEMES) {
        const isShown = locale === 'en' || (width === 375 && colorScheme === 'light');
        if (!isShown) continue;
        const page = await browser.newPage({ viewport: { width, height: 400 }, colorScheme, javaScriptEnabled: false });
        await page.setContent(templates.render(message, locale, DATA).html);
        const path = `${FOLDER}/${message}-${locale}-${width}-${colorScheme}.png`;
        await page.screenshot({ path, fullPage: true });
        await page.close();
      }
    }
  }
}
await browser.close();
