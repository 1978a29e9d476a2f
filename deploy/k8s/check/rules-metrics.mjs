// Rules for what reads metrics: the names must be those that edges and brokers serve.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { matches } from './world.mjs';

const NAME = /\b(?:gatepost|process)_[a-z_]+/g;

function unknown(world, text) {
  const names = new Set(text.match(NAME) ?? []);
  return [...names].filter((name) => {
    const base = name.replace(/_(bucket|sum|count)$/, '');
    return !world.programs.metrics.has(name) && world.programs.metrics.get(base) !== 'histogram';
  });
}

// [where, PromQL]
function expressions(world) {
  const found = [];
  for (const rule of world.of('PrometheusRule')) {
    for (const group of rule.spec.groups) {
      for (const { alert, record, expr } of group.rules) found.push([`PrometheusRule ${rule.metadata.name}, ${alert ?? record}`, expr]);
    }
  }
  for (const map of world.of('ConfigMap').filter((m) => m.metadata.labels?.grafana_dashboard)) {
    for (const [file, text] of Object.entries(map.data)) {
      for (const panel of JSON.parse(text).panels) {
        for (const { expr } of panel.targets ?? []) found.push([`${file}, panel ${panel.title}`, expr]);
      }
    }
  }
  for (const scaler of world.of('ScaledObject')) {
    for (const { type, metadata } of scaler.spec.triggers) {
      if (type === 'prometheus') found.push([`ScaledObject ${scaler.metadata.name}`, metadata.query]);
    }
  }
  return found;
}

const metrics = {
  name: 'metrics',
  why: 'An alert, a panel or a scaler with a name that is not served shows nothing, and nobody notices.',
  find: (world) =>
    expressions(world).flatMap(([at, text]) => {
      if (!text.match(NAME)) return [`${at}: it has no metric of Gatepost: ${text}`];
      return unknown(world, text).map((name) => `${at}: ${name} is not a metric of an edge or a broker`);
    }),
};

const adapter = {
  name: 'adapter',
  why: 'A HorizontalPodAutoscaler finds a metric of pods only under the name and the labels that the rule of prometheus-adapter gives it.',
  find: (world, tools) => {
    const asked = world
      .of('HorizontalPodAutoscaler')
      .flatMap((scaler) => (scaler.spec.metrics ?? []).filter((m) => m.type === 'Pods').map((m) => m.pods.metric.name));
    if (asked.length === 0) return [];
    const yaml = createRequire(path.join(tools, 'package.json'))('js-yaml');
    const file = path.join(world.root, 'deploy/k8s/components/hpa-prometheus-adapter/adapter-values.yaml');
    const { rules } = yaml.load(fs.readFileSync(file, 'utf8'));
    const found = rules.custom.flatMap((rule) => unknown(world, rule.seriesQuery).map((name) => `adapter-values.yaml: ${name} is not a metric`));
    for (const name of asked) {
      const rule = rules.custom.find((r) => r.name.as === name);
      if (!rule) found.push(`the metric ${name} is not in adapter-values.yaml`);
      else if (!rule.resources.overrides.pod || !rule.resources.overrides.namespace) found.push(`adapter-values.yaml: ${name} has no labels of its pod and namespace`);
    }
    return found;
  },
};

const monitors = {
  name: 'monitors',
  why: 'A PodMonitor that selects no pod, or names a port that the pods lack, collects nothing.',
  find: (world) =>
    world.of('PodMonitor').flatMap((monitor) => {
      const at = `PodMonitor ${monitor.metadata.name}`;
      const pods = world.pods.filter((pod) => matches(monitor.spec.selector, pod.labels));
      const programs = new Set(['edge', 'broker'].filter((program) => world.processes(program).some((p) => pods.includes(p.pod))));
      if (programs.size < 2) return [`${at}: it does not select edges and brokers`];
      return monitor.spec.podMetricsEndpoints.flatMap((endpoint) =>
        pods
          .filter((pod) => !pod.spec.containers.some((c) => c.ports?.some((port) => port.name === endpoint.port)))
          .map((pod) => `${at}: ${pod.name} has no port ${endpoint.port}`),
      );
    }),
};

export default [metrics, adapter, monitors];
