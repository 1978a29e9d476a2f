'use strict';

const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const body = readFileSync(join(__dirname, 'public', 'index.html'), 'utf8');

exports.handler = async () => ({
  statusCode: 200,
  headers: { 'Content-Type': 'text/html; charset=utf-8' },
  body,
});
