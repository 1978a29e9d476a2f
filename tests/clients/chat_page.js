// A person at the page of examples/chat in headless Chromium, driven by lines of JSON as in
// tests/lib/client.py: {"name": "…", "say": "…"} types both and presses Enter, {"read": "…"}
// waits until a line of the talk is just that.
'use strict';

const readline = require('node:readline');
const { chromium } = require('playwright-core');
const flags = require('./chromium_flags');

const report = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

async function main(url) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags });
  const page = await browser.newPage();
  page.on('pageerror', (error) => report({ error: error.message }));

  await page.goto(url);
  await page.getByText('connected', { exact: true }).waitFor();
  report({ open: true });
  for await (const line of readline.createInterface({ input: process.stdin }))
    await obey(page, JSON.parse(line));
  await browser.close();
}

async function obey(page, { name, say, read }) {
  if (say !== undefined) {
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Message').pressSequentially(say);
    await page.keyboard.press('Enter');
  }
  if (read !== undefined) {
    await page.waitForFunction(
      (text) => [...document.querySelectorAll('li')].some((line) => line.textContent === text),
      read,
    );
    report({ read });
  }
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
