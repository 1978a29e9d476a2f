// Strict schemas: an object has only fields that its API version knows, of their types, and those that are required.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRequire } from 'node:module';

// Kinds of the API itself, by apiVersion. The class of a kind has the version as its prefix (V1Deployment).
const KINDS = {
  v1: ['Namespace', 'ServiceAccount', 'Service', 'ConfigMap', 'Secret', 'Pod', 'PersistentVolumeClaim'],
  'apps/v1': ['Deployment', 'StatefulSet', 'DaemonSet'],
  'batch/v1': ['Job', 'CronJob'],
  'policy/v1': ['PodDisruptionBudget'],
  'policy/v1beta1': ['PodDisruptionBudget'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'autoscaling/v2beta2': ['HorizontalPodAutoscaler'],
  'networking.k8s.io/v1': ['NetworkPolicy', 'Ingress'],
};

// Custom resources: the package that validates them, by apiVersion.
const PACKAGES = {
  'keda.sh/v1alpha1': 'keda',
  'monitoring.coreos.com/v1': 'prometheus-operator',
  'gateway.networking.k8s.io/v1': 'gateway-api',
};

// The fields of k6-operator's TestRun (api/v1alpha1/testrun_types.go), for which there is no package. A trailing
// `!` marks those that are required.
const RUNNER = {
  disabled: 'boolean',
  affinity: 'V1Affinity',
  automountServiceAccountToken: 'string',
  env: 'Array<V1EnvVar>',
  envFrom: 'Array<V1EnvFromSource>',
  image: 'string',
  imagePullPolicy: 'string',
  imagePullSecrets: 'Array<V1LocalObjectReference>',
  metadata: { annotations: '{ [key: string]: string; }', labels: '{ [key: string]: string; }' },
  nodeSelector: '{ [key: string]: string; }',
  tolerations: 'Array<V1Toleration>',
  topologySpreadConstraints: 'Array<V1TopologySpreadConstraint>',
  resources: 'V1ResourceRequirements',
  serviceAccountName: 'string',
  securityContext: 'V1PodSecurityContext',
  containerSecurityContext: 'V1SecurityContext',
  readinessProbe: 'V1Probe',
  livenessProbe: 'V1Probe',
  volumes: 'Array<V1Volume>',
  volumeMounts: 'Array<V1VolumeMount>',
  priorityClassName: 'string',
  schedulerName: 'string',
};
const TEST_RUN = {
  apiVersion: 'string',
  kind: 'string',
  metadata: 'V1ObjectMeta',
  'spec!': {
    'script!': { configMap: { 'name!': 'string', file: 'string' }, localFile: 'string' },
    'parallelism!': 'number',
    separate: 'boolean',
    arguments: 'string',
    ports: 'Array<V1ContainerPort>',
    initializer: RUNNER,
    starter: RUNNER,
    runner: RUNNER,
    quiet: 'string',
    paused: 'string',
    cleanup: 'string',
  },
};

// Loads the schemas from the folder of tools, and returns check(object, old) → list of mistakes.
export async function loadSchemas(tools) {
  const modules = path.join(tools, 'node_modules');
  const require = createRequire(path.join(tools, 'package.json'));
  const models = (name) => import(pathToFileURL(path.join(modules, name)));
  const newest = {
    classes: await models('@kubernetes/client-node/dist/gen/models/all.js'),
    declarations: path.join(modules, '@kubernetes/client-node/dist/gen/models'),
    file: (name) => `${name}.d.ts`,
  };
  const oldest = {
    classes: require('client-node-1.20/dist/gen/model/models.js'),
    declarations: path.join(modules, 'client-node-1.20/dist/gen/model'),
    file: (name) => `${name[0].toLowerCase()}${name.slice(1)}.d.ts`,
  };
  const custom = new Map();
  for (const [apiVersion, name] of Object.entries(PACKAGES)) {
    custom.set(apiVersion, await models(`@kubernetes-models/${name}/${apiVersion}/index.${name === 'gateway-api' ? 'mjs' : 'js'}`));
  }
  return (object, isOld) => checkObject(object, isOld ? oldest : newest, custom);
}

function checkObject(object, schema, custom) {
  const { apiVersion, kind } = object;
  if (!apiVersion || !kind) return ['has no apiVersion or no kind'];
  if (KINDS[apiVersion]?.includes(kind)) {
    const version = apiVersion.split('/').pop();
    const name = `V${version.slice(1)}${kind}`;
    if (!schema.classes[name]) return [`${apiVersion} is unknown to this version of Kubernetes`];
    return walk(object, name, '', schema);
  }
  if (apiVersion === 'k6.io/v1alpha1' && kind === 'TestRun') return walk(object, TEST_RUN, '', schema);
  if (custom.get(apiVersion)?.[kind]) return checkCustom(object, custom.get(apiVersion)[kind]);
  return [`${apiVersion} ${kind} is unknown`];
}

// ---- the API's own kinds: each class lists its fields and their types

const SCALARS = {
  string: (v) => typeof v === 'string',
  number: (v) => typeof v === 'number',
  boolean: (v) => typeof v === 'boolean',
  Date: (v) => typeof v === 'string' || v instanceof Date,
  IntOrString: (v) => typeof v === 'string' || Number.isInteger(v),
  any: () => true,
  object: () => true,
};

function walk(value, type, at, schema) {
  if (typeof type === 'object') return walkFields(value, type, at, schema);
  if (SCALARS[type]) {
    return SCALARS[type](value) ? [] : [`${at} is ${JSON.stringify(value)}; a ${type} belongs there`];
  }
  const list = type.match(/^Array<(.*)>$/);
  if (list) {
    if (!Array.isArray(value)) return [`${at} is not a list`];
    return value.flatMap((item, i) => walk(item, list[1], `${at}[${i}]`, schema));
  }
  const map = type.match(/^\{ \[key: string\]: (.*); \}$/);
  if (map) {
    if (!isObject(value)) return [`${at} is not a map`];
    return Object.entries(value).flatMap(([key, item]) => walk(item, map[1], `${at}.${key}`, schema));
  }
  return walkFields(value, fieldsOf(type, schema), at, schema);
}

function walkFields(value, fields, at, schema) {
  if (!isObject(value)) return [`${at || 'it'} is not an object`];
  const found = [];
  for (const [key, item] of Object.entries(value)) {
    const type = fields[key] ?? fields[`${key}!`];
    if (!type) found.push(`unknown field ${at}.${key}`);
    else if (item !== null) found.push(...walk(item, type, `${at}.${key}`, schema));
  }
  for (const key of Object.keys(fields)) {
    if (key.endsWith('!') && value[key.slice(0, -1)] == null) found.push(`${at}.${key.slice(0, -1)} is missing`);
  }
  return found;
}

// {field: type}, with `!` behind the names of those that the declaration does not mark with `?`.
function fieldsOf(name, schema) {
  schema.known ??= new Map();
  if (!schema.known.has(name)) {
    const type = schema.classes[name];
    if (!type) throw new Error(`there is no class ${name}`);
    const declaration = fs.readFileSync(path.join(schema.declarations, schema.file(name)), 'utf8');
    const required = new Set([...declaration.matchAll(/^\s*'(\w+)':/gm)].map((match) => match[1]));
    const rows = type.attributeTypeMap.map((a) => [required.has(a.name) ? `${a.baseName}!` : a.baseName, a.type]);
    schema.known.set(name, Object.fromEntries(rows));
  }
  return schema.known.get(name);
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// ---- custom resources: the packages have compiled validators, which ignore unknown fields. A field is known when the
// validator objects to a wrong value in it: a symbol, which no schema allows.

function checkCustom(object, Model) {
  const errors = (value) => {
    try {
      new Model(value).validate();
      return [];
    } catch (error) {
      return error.errors.map((e) => `${e.instancePath.replaceAll('/', '.')} ${e.message}`);
    }
  };
  const found = errors(object);
  if (found.length) return found;
  const copy = structuredClone(object);
  for (const [holder, key, at] of places(copy)) {
    const saved = holder[key];
    holder[key] = Symbol('wrong');
    if (errors(copy).length === 0) found.push(`unknown field ${at}`);
    holder[key] = saved;
  }
  return found;
}

function* places(value, at = '') {
  for (const key of Object.keys(value)) {
    if (at === '' && (key === 'apiVersion' || key === 'kind')) continue;
    yield [value, key, `${at}.${key}`];
    if (typeof value[key] === 'object' && value[key] !== null) yield* places(value[key], `${at}.${key}`);
  }
}
