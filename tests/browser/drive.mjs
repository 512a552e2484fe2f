// A page in headless Chromium or Firefox, and what a person would do with it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(new URL('../../out/cache/npm/', import.meta.url));
const { chromium } = require('playwright-core');

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
               '--disable-background-networking', '--disable-component-update', '--disable-sync'];

// The address that a server of the folder answers at; stop() ends it. plain: without headers.
export function serve(folder, plain) {
  const child = spawn('node', ['hosts/browser/serve.mjs', folder, '0', ...plain ? ['plain'] : []]);
  return new Promise((resolve, reject) => {
    child.stdout.on('data', data => {
      const hit = String(data).match(/http:\/\/localhost:\d+\//);
      if (hit)
        resolve({ address: hit[0], stop: () => child.kill() });
    });
    child.on('exit', code => reject(new Error(`serve.mjs ended with ${code}`)));
  });
}

export async function browse(options = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'vyoma-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium', headless: true, args: FLAGS, ...options });
  return { context, profile, new_page: () => context.newPage(), close: async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  } };
}

// Its pages have of Playwright's what Session uses. Nothing is kept but what pages store. Firefox 153
// now and then, on a busy machine, does not come back from making a worker within a worker.
export async function browse_firefox() {
  const firefox = await require('puppeteer-core').launch({
    browser: 'firefox', executablePath: '/usr/bin/firefox-esr', headless: true,
    extraPrefsFirefox: { 'browser.cache.disk.enable': false, 'browser.cache.memory.enable': false } });
  return { patience_ms: 20000, new_page: () => firefox.newPage(), close: () => firefox.close() };
}

// The text of the file that a click on the button offers.
export async function download(page, button) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
  let text = '';
  for await (const piece of await file.createReadStream())
    text += piece;
  return text;
}

export class Session {
  constructor(page) {
    this.page = page;
    this.complaints = [];
    this.requests = [];
    page.on('pageerror', error => this.complaints.push(error.message));
    page.on('console', message => {
      if (message.type() === 'error')
        this.complaints.push(message.text());
    });
    page.on('request', request => this.requests.push(request.url()));
  }

  open(address) { return this.page.goto(address); }

  // All that the terminal shows and has shown, its wrapped lines whole again.
  screen() {
    return this.page.evaluate(() => {
      const buffer = self.vyoma.terminal.buffer.active;
      let text = '';
      for (let i = 0; i < buffer.length; i++) {
        const line = buffer.getLine(i);
        text += (i && !line.isWrapped ? '\n' : '') + line.translateToString(true);
      }
      return text.trimEnd();
    });
  }

  type(keys) { return this.page.keyboard.type(keys); }

  async command(line) {
    await this.type(line);
    await this.page.keyboard.press('Enter');
  }

  // Waits until the screen matches; false after ms.
  async shows(pattern, ms = 10000) {
    const end = Date.now() + ms;
    for (;;) {
      if (pattern.test(await this.screen().catch(() => '')))
        return true;
      if (Date.now() > end)
        return false;
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }
}
