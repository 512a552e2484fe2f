// The page: a terminal, and the core's worker behind it.
import './strict-style.js';
import { Terminal } from './xterm.mjs';
import { FitAddon } from './addon-fit.mjs';
import { offer_to_keep } from './keep.js';
import { core, listen } from './start.js';
import { is_isolated, isolate_or, work_offline } from './offline.js';

const START_MS = 5000; // by when the core has said its first word, or will not

const notice = document.getElementById('notice');
const say = why => { notice.textContent = why; };

// Unless something else has been said since.
function unsay(why) {
  if (notice.textContent === why)
    say('');
}

function save(blob) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = 'audit.jsonl';
  link.click();
  URL.revokeObjectURL(link.href);
}

// What an app that listens on the port answers: { status, headers, body }.
function fetch_port(core, port, path) {
  const { port1, port2 } = new MessageChannel();
  return new Promise(resolve => {
    port1.onmessage = ({ data }) => resolve(data);
    const request = { port, method: 'GET', path, headers: [], body: new Uint8Array() };
    core.postMessage({ request, answer: port2 }, [port2]);
  });
}

// on_word: called whenever the core says something.
function begin(on_word) {
  const terminal = new Terminal({ convertEol: true, screenReaderMode: true, scrollback: 5000 });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(document.getElementById('terminal'));
  fit.fit();
  terminal.focus();

  const text = new TextEncoder();
  terminal.onData(keys => core.postMessage({ keys: text.encode(keys) }));
  terminal.onBinary(keys => core.postMessage({ keys: Uint8Array.from(keys, c => c.charCodeAt(0)) }));
  terminal.onResize(({ cols, rows }) => core.postMessage({ size: { columns: cols, rows } }));
  new ResizeObserver(() => fit.fit()).observe(document.getElementById('terminal'));
  document.getElementById('audit').onclick = () => {
    core.postMessage({ audit: true });
    terminal.focus();
  };
  core.postMessage({ size: { columns: terminal.cols, rows: terminal.rows } });
  listen(data => {
    on_word();
    if (data.show)
      terminal.write(data.show, () => core.postMessage({ shown: data.show.length }));
    else if (data.audit)
      save(data.audit);
    else if (data.say)
      say(data.say);
    else if (data.unsay)
      unsay(data.unsay);
    else if (data.failed)
      say(`The system could not be started: ${data.failed}`);
    else if ('power' in data)
      data.power === 1 ? location.reload() : say('The system has ended. Reload the page to start it.');
  });
  // For the tests, and for whoever looks.
  self.vyoma = { terminal, fetch_port: (port, path) => fetch_port(core, port, path) };
}

// What is not there is less than the system: its words are for the log.
const complain = error => console.warn(`Offline use and storage: ${error.message}`);

if (is_isolated()) {
  // Fetching what offline use needs would hold the start up, and an update is not to depend on it.
  const started = new Promise(resolve => {
    begin(resolve);
    setTimeout(resolve, START_MS);
  });
  started.then(() => offer_to_keep(document.getElementById('keep'), why => {
    say(why);
    self.vyoma.terminal.focus();
  })).catch(complain);
  work_offline(say, core, started).catch(complain);
} else {
  isolate_or(() => say('This page needs to be cross-origin isolated: its server must send the two ' +
                       'headers that docs/browser.md names.')).catch(complain);
}
