// The client of clients/js in a page of headless Chromium, driven by lines of JSON: see channels_orders.mjs.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const readline = require('node:readline');
const { chromium } = require('playwright-core');
const flags = require('./chromium_flags');

const ROOT = path.join(__dirname, '../..');

// The page, and the modules that it imports.
async function serve() {
  const server = http.createServer(({ url }, response) => {
    const isPage = url === '/';
    response.setHeader('Content-Type', isPage ? 'text/html' : 'text/javascript');
    response.end(isPage ? '<!doctype html><link rel="icon" href="data:,">' : fs.readFileSync(path.join(ROOT, url)));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${server.address().port}/`;
}

async function main(text) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags });
  const page = await browser.newPage();

  page.on('pageerror', (error) => console.error(error));
  await page.exposeFunction('report', (event) => void process.stdout.write(`${JSON.stringify(event)}\n`));
  await page.goto(await serve());
  await page.evaluate(async (given) => {
    const { Client } = await import('/clients/js/index.js');
    const { drive } = await import('/tests/clients/channels_orders.mjs');
    window.obey = drive(Client, given, window.report).obey;
  }, text);
  readline
    .createInterface({ input: process.stdin })
    .on('line', (line) => void page.evaluate((order) => void window.obey(order), JSON.parse(line)))
    .on('close', () => browser.close().then(() => process.exit()));
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
