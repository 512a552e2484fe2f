#!/usr/bin/env node
// The same transcript on Linux and in Chromium, in its engine and in ours.
// timeout 400
import { browse } from './drive.mjs';
import { finish } from './check.mjs';
import { compare } from './transcript/compare.mjs';

const browser = await browse();
await browser.context.route('**', route => route.continue()); // without the HTTP cache
await compare(browser, 'V8', ['host', 'vyoma']);
finish();
