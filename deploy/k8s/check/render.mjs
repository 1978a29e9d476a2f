// What is checked: every overlay, each component alone in the dev overlay, and the Helm chart with each of its values.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { createRequire } from 'node:module';

const run = promisify(execFile);

export const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
export const root = path.resolve(here, '../../..');
const k8s = path.join(root, 'deploy/k8s');
const chart = path.join(root, 'deploy/helm/gatepost');

// What an overlay expects to find in its namespace: it makes no Secrets.
const OUTSIDE = ['Secret/gatepost-redis', 'Secret/gatepost-credentials'];

function folders(folder) {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

// [{name, folder or values, isOld, outside}]
export function targets() {
  const overlays = folders(path.join(k8s, 'overlays')).map((name) => ({
    name: `overlays/${name}`,
    folder: path.join(k8s, 'overlays', name),
    isOld: name === '1.20',
    outside: name === 'production' ? OUTSIDE : [],
  }));
  const components = folders(path.join(k8s, 'components')).map((name) => ({
    name: `components/${name}`,
    component: name,
    isOld: false,
    outside: [],
  }));
  const values = fs.existsSync(chart)
    ? fs.readdirSync(path.join(chart, 'ci')).sort().map((file) => ({
        name: `helm/${file.replace('.yaml', '')}`,
        values: path.join(chart, 'ci', file),
        isOld: false,
        outside: OUTSIDE,
      }))
    : [];
  return [...overlays, ...components, ...values];
}

export function planted() {
  return folders(path.join(here, 'planted')).map((name) => {
    const folder = path.join(here, 'planted', name);
    const [first, text] = fs.readFileSync(path.join(folder, 'kustomization.yaml'), 'utf8').split('\n');
    const [, rule] = first.match(/^# expect: ([\w-]+)$/) ?? [];
    if (!rule) throw new Error(`planted/${name}: its first line must be "# expect: RULE", not ${first}`);
    return { name, folder, rule, why: text.replace(/^# /, ''), isOld: false, outside: name.startsWith('production') ? OUTSIDE : [] };
  });
}

// The objects of a target.
export async function render(target, tools) {
  const yaml = createRequire(path.join(tools, 'package.json'))('js-yaml');
  const options = { maxBuffer: 64 << 20 };
  const bin = (name) => path.join(tools, 'bin', name);
  let text;
  if (target.values) {
    await run(bin('helm'), ['lint', '--strict', '--quiet', chart, '--values', target.values], options);
    const args = ['template', 'gatepost', chart, '--namespace', 'gatepost', '--values', target.values];
    ({ stdout: text } = await run(bin('helm'), args, options));
  } else if (target.component) {
    ({ stdout: text } = await aloneInDev(target.component, (folder) => run(bin('kubectl'), ['kustomize', folder], options)));
  } else {
    ({ stdout: text } = await run(bin('kubectl'), ['kustomize', target.folder], options));
  }
  return yaml.loadAll(text).filter(Boolean);
}

// Each component with the dev overlay. What scales edges goes with the base instead: dev has one edge, and settings and
// memory for one.
async function aloneInDev(name, work) {
  const folder = fs.mkdtempSync(path.join(root, 'build/k8s-component-'));
  const up = path.relative(folder, k8s);
  const dev = fs.readFileSync(path.join(k8s, 'overlays/dev/kustomization.yaml'), 'utf8');
  const lines = ['apiVersion: kustomize.config.k8s.io/v1beta1', 'kind: Kustomization'];
  if (name.startsWith('hpa-')) {
    lines.push(`resources: [${up}/base]`, `components: [${up}/components/redis-dev, ${up}/components/${name}]`);
    lines.push('secretGenerator:', '  - { name: gatepost-credentials, literals: [credentials=] }');
  } else {
    lines.push(`resources: [${up}/overlays/dev]`);
    if (!dev.includes(`components/${name}\n`)) lines.push(`components: [${up}/components/${name}]`);
  }
  fs.writeFileSync(path.join(folder, 'kustomization.yaml'), lines.join('\n'));
  try {
    return await work(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}
