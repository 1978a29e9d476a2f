// One summary for people: text on the terminal, and a page without anything from the network.
//
//   RESULTS   if set: the folder for NAME.html, NAME.txt and NAME.json

export function summary(name, about) {
  return (data) => {
    const rows = rowsOf(data);
    const text = asText(name, about, rows);
    const out = { stdout: text };
    if (__ENV.RESULTS) {
      const base = `${__ENV.RESULTS}/${name}`;
      out[`${base}.txt`] = text;
      out[`${base}.html`] = asPage(name, about, rows, data.state.testRunDurationMs);
      out[`${base}.json`] = JSON.stringify({ name, about, seconds: data.state.testRunDurationMs / 1000, metrics: data.metrics }, null, 1);
    }
    return out;
  };
}

const ours = /^(?!data_|iteration|vus|ws_|http_|checks|group_|dropped)/;

function rowsOf(data) {
  return Object.keys(data.metrics)
    .filter((metric) => ours.test(metric))
    .sort()
    .map((metric) => {
      const { type, contains, values, thresholds } = data.metrics[metric];
      return {
        metric,
        value: valueOf(type, contains, values),
        rules: Object.keys(thresholds || {}).map((rule) => ({ rule, held: thresholds[rule].ok })),
      };
    });
}

function valueOf(type, contains, v) {
  const unit = contains === 'time' ? ' ms' : '';
  const n = (x) => (Number.isInteger(x) ? String(x) : x.toFixed(1));
  if (type === 'counter') return `${v.count}   (${n(v.rate)} a second)`;
  if (type === 'rate') return `${(v.rate * 100).toFixed(2)} %   (${v.passes} of ${v.passes + v.fails})`;
  if (type === 'gauge') return n(v.value);
  return `median ${n(v.med)}  p95 ${n(v['p(95)'])}  p99 ${n(v['p(99)'])}  max ${n(v.max)}${unit}   (${v.count})`;
}

function verdict(rows) {
  return rows.every((row) => row.rules.every((rule) => rule.held)) ? 'PASS' : 'FAIL';
}

function asText(name, about, rows) {
  const lines = rows.map(({ metric, value, rules }) => {
    const held = rules.map(({ rule, held }) => `${held ? 'ok' : 'NOT'} ${rule}`).join(', ');
    return `  ${metric.padEnd(24)} ${value}${held ? `   [${held}]` : ''}`;
  });
  return `${name}: ${about}\n${lines.join('\n')}\n${name}: ${verdict(rows)}\n`;
}

function escape(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function asPage(name, about, rows, ms) {
  const cells = rows.map(({ metric, value, rules }) => {
    const held = rules.map(({ rule, held }) => `<span class="${held ? 'ok' : 'no'}">${escape(rule)}</span>`).join(' ');
    return `<tr><th>${escape(metric)}</th><td>${escape(value)}</td><td>${held}</td></tr>`;
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Gatepost load: ${name}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1c2733 }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #dde3ea }
th { font-weight: 600; white-space: nowrap } td { font-variant-numeric: tabular-nums }
.ok, .no { border-radius: 4px; padding: .1rem .4rem; white-space: nowrap } .ok { background: #dcf5e3 } .no { background: #fbdcdc }
</style>
<h1>${name}: <span class="${verdict(rows) === 'PASS' ? 'ok' : 'no'}">${verdict(rows)}</span></h1>
<p>${escape(about)} It took ${(ms / 1000).toFixed(0)} s.</p>
<table><tr><th>metric</th><th>value</th><th>thresholds</th></tr>
${cells.join('\n')}
</table></html>
`;
}
