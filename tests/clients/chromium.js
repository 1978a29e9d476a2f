// A page in headless Chromium, driven by lines of JSON: see tests/lib/client.py.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const readline = require('node:readline');
const { chromium } = require('playwright-core');
const flags = require('./chromium_flags');

// From a server, as pages come, so that the handshake has an origin.
async function servePage() {
  const page = fs.readFileSync(path.join(__dirname, 'page.html'));
  const server = http.createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(page);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${server.address().port}/`;
}

async function main(url) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags });
  const page = await browser.newPage();

  await page.exposeFunction('report', async (event) => {
    process.stdout.write(`${JSON.stringify(event)}\n`);
    if ('closed' in event) {
      await browser.close();
      process.exit();
    }
  });
  await page.goto(await servePage());
  await page.evaluate((to) => start(to), url);
  readline
    .createInterface({ input: process.stdin })
    .on('line', (line) => page.evaluate((order) => obey(order), JSON.parse(line)))
    .on('close', () => browser.close().then(() => process.exit()));
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
