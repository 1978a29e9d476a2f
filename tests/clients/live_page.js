// Two persons at pages of headless Chromium, driven by lines of JSON: {"who": 0, "open": url, "join": name},
// {"who": 0, "say": text, "name": …}, {"who": 0, "move": [x, y]} over the board, as fractions.
// {"who": 1, "see": [selector, text]} waits until such an element has just this text, and
// {"who": 1, "miss": [selector, text]} until none has. Each is reported when it is done.
'use strict';

const readline = require('node:readline');
const { chromium } = require('playwright-core');
const flags = require('./chromium_flags');

const report = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const has = ([selector, text]) => [...document.querySelectorAll(selector)].some((e) => e.textContent === text);
const hasNot = ([selector, text]) => [...document.querySelectorAll(selector)].every((e) => e.textContent !== text);

async function obey(page, { open, join, name, say, move, see, miss, close }) {
  if (open) await page.goto(open);
  if (join) {
    await page.getByLabel('Your name').fill(join);
    await page.keyboard.press('Enter');
  }
  if (name) await page.getByLabel('Name', { exact: true }).fill(name);
  if (say) {
    await page.getByLabel('Message').fill(say);
    await page.keyboard.press('Enter');
  }
  if (move) {
    const { x, y, width, height } = await page.locator('#board').boundingBox();
    await page.mouse.move(x + move[0] * width, y + move[1] * height);
  }
  if (see) await page.waitForFunction(has, see);
  if (miss) await page.waitForFunction(hasNot, miss);
  if (close) await page.close();
}

async function main() {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags });
  const pages = [];
  for (let i = 0; i < 2; i++) {
    const page = await (await browser.newContext()).newPage();
    page.on('pageerror', (error) => report({ error: error.message }));
    page.on('console', (entry) => entry.type() === 'error' && console.error(entry.text()));
    pages.push(page);
  }
  report({ open: true });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    try {
      await obey(pages[order.who], order);
      report({ done: order });
    } catch (error) {
      report({ error: error.message, order });
    }
  }
  await browser.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
