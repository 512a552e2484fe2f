// Takes the README's picture of the page: `make picture`.
//
//   node hosts/browser/picture.mjs WEB FILE
import { browse, serve, Session } from '../../tests/browser/drive.mjs';

const [web, file] = process.argv.slice(2);
const server = await serve(web), browser = await browse();
try {
  const s = new Session(browser.context.pages()[0]);
  await s.page.setViewportSize({ width: 800, height: 400 });
  await s.open(server.address);
  await s.shows(/^vyoma>/m);
  for (const [line, answer] of [
    ['start calculator', /starting calculator/], ['calculator: 6*7', /= 42/],
    ['caps calculator', /^stdio ipc/m], ['start rogue-import', /needs network\.connect/],
    ['ps', /^calculator/m]]) {
    await s.command(line);
    if (!await s.shows(answer))
      throw new Error(`${line}: not answered`);
  }
  await s.page.waitForTimeout(300);
  await s.page.screenshot({ path: file });
} finally {
  await browser.close();
  server.stop();
}
