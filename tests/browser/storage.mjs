#!/usr/bin/env node
// What apps store in a page lasts, and what a page may not do to it.
// timeout 180
import { browse, serve, Session } from './drive.mjs';
import { check, finish } from './check.mjs';

async function visit(context, address) {
  const s = new Session(await context.newPage());
  await s.open(address);
  return s;
}

async function lasting(context, address) {
  let s = await visit(context, address);
  await check('the shell prompts', () => s.shows(/^vyoma>/m), s);
  await s.command('start storage-demo');
  await check('an app stores something', () =>
    s.shows(/start number 1: ok[^]*a line in the diary: ok[^]*it is gone: ok/), s);
  await s.page.reload();
  await check('the shell prompts after a reload', () => s.shows(/^vyoma>/m), s);
  await s.command('start storage-demo');
  await check('a reload keeps it', () => s.shows(/start number 2: ok[^]*it is gone: ok/), s);
  await s.page.close();
  s = await visit(context, address);
  await check('the shell prompts in a new tab', () => s.shows(/^vyoma>/m), s);
  await s.command('start storage-demo');
  await check('a closed tab keeps it', () => s.shows(/start number 3: ok/), s);
  return s;
}

async function main() {
  const server = await serve('out/tests/browser/web');
  const browser = await browse();
  try {
    const s = await lasting(browser.context, server.address);
    for (const text of s.complaints)
      console.log(`# console: ${text}`);
  } finally {
    await browser.close();
    server.stop();
  }
  finish();
}

await main();
