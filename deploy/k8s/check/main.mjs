// deploy/k8s/check/run: see there.
import path from 'node:path';
import { loadSchemas } from './schema.mjs';
import { planted, render, root, targets } from './render.mjs';
import { loadPrograms, World } from './world.mjs';
import pods from './rules-pods.mjs';
import processes from './rules-processes.mjs';
import cluster from './rules-cluster.mjs';
import metrics from './rules-metrics.mjs';
import network from './rules-network.mjs';

const fields = {
  name: 'fields',
  why: 'An unknown field is ignored by the server, or refused: either way the manifest does not do what it says.',
  find: (world, tools, schemas) =>
    world.objects.flatMap((o) => schemas(o, world.target.isOld).map((mistake) => `${o.kind} ${o.metadata?.name}: ${mistake}`)),
};

const rules = [fields, ...pods, ...processes, ...cluster, ...metrics, ...network];

function parse(args) {
  const options = { bin: path.join(root, 'build/dev/bin'), tools: path.join(root, 'build/k8s'), names: [] };
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--bin' || args[i] === '--tools') options[args[i].slice(2)] = path.resolve(args[++i]);
    else if (args[i] === '--planted' || args[i] === '--rules') options[args[i].slice(2)] = true;
    else if (args[i].startsWith('-')) throw new Error(`unknown option ${args[i]}`);
    else options.names.push(args[i]);
  }
  return options;
}

// What is wrong with a target: [{rule, text}]
async function examine(target, context) {
  const world = new World(target, await render(target, context.tools), context.programs, root);
  const found = [];
  for (const rule of rules) {
    for (const text of rule.find(world, context.tools, context.schemas)) found.push({ rule: rule.name, text });
    if (rule === fields && found.length) break; // the others rely on the right fields
  }
  return found;
}

// Runs `work` for each item, a few at a time, and keeps their order.
async function each(items, work) {
  const results = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i]);
    }
  };
  await Promise.all(Array.from({ length: 3 }, worker));
  return results;
}

async function checkAll(list, context) {
  const results = await each(list, (target) => examine(target, context));
  let wrong = 0;
  list.forEach((target, i) => {
    if (results[i].length === 0) return;
    wrong += results[i].length;
    for (const { rule, text } of results[i]) console.log(`${target.name}: ${rule}: ${text}`);
  });
  console.log(wrong ? `k8s: ${wrong} mistakes in ${list.length} renders` : `k8s: ${list.length} renders, ${rules.length} rules, no mistakes`);
  return wrong === 0;
}

// Each planted mistake must be found by its rule, and by no other.
async function checkPlanted(list, context) {
  const results = await each(list, (target) => examine(target, context));
  let missed = 0;
  list.forEach((target, i) => {
    const named = [...new Set(results[i].map((found) => found.rule))];
    const isRight = named.length === 1 && named[0] === target.rule;
    if (!isRight) missed++;
    const said = results[i].map(({ rule, text }) => `${rule}: ${text}`).join('; ') || 'nothing';
    console.log(`${isRight ? 'found ' : 'MISSED'} ${target.name}${isRight ? ` (${said})` : `: expected ${target.rule}, found ${said}`}`);
  });
  console.log(`k8s: ${list.length - missed} of ${list.length} planted mistakes were found`);
  return missed === 0 && list.length > 0;
}

async function main() {
  const options = parse(process.argv.slice(2));
  if (options.rules) {
    for (const { name, why } of rules) console.log(`${name.padEnd(14)} ${why}`);
    return true;
  }
  const context = { tools: options.tools, schemas: await loadSchemas(options.tools), programs: loadPrograms(root, options.bin) };
  const all = options.planted ? planted() : targets();
  const list = options.names.length ? all.filter(({ name }) => options.names.some((part) => name.includes(part))) : all;
  if (list.length === 0) throw new Error(`nothing is called ${options.names.join(' or ')}`);
  return options.planted ? checkPlanted(list, context) : checkAll(list, context);
}

main().then(
  (isRight) => {
    process.exitCode = isRight ? 0 : 1;
  },
  (error) => {
    console.error(`deploy/k8s/check/run: ${error.stderr || error.message}`);
    process.exitCode = 2;
  },
);
