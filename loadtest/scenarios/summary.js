// What every k6 scenario shares: where the edge is, how long and how many, and the last line it prints.

const edge = __ENV.EDGE || '127.0.0.1';

export const name = (label) => `${label}.ep-r.io`;
export const http = `http://NAME:${__ENV.HTTP || 8080}`;
export const https = `https://NAME:${__ENV.HTTPS || 8443}`;

export const options = {
  vus: Number(__ENV.VUS || 16),
  duration: `${__ENV.SECONDS || 5}s`,
  hosts: { '*.ep-r.io': edge },
  // The development CA is not in the system's store; that certificates are right is tested elsewhere.
  insecureSkipTLSVerify: true,
  summaryTrendStats: ['med', 'p(99)'],
};

// One JSON object: requests, failed, p50_us, p99_us, seconds. `trend` and `count` name the metrics.
export function line(data, trend, count) {
  const { values } = data.metrics[trend];
  const checks = data.metrics.checks;
  return JSON.stringify({
    requests: data.metrics[count].values.count,
    failed: checks ? checks.values.fails : 0,
    p50_us: Math.round(values.med * 1000),
    p99_us: Math.round(values['p(99)'] * 1000),
    seconds: data.state.testRunDurationMs / 1000,
  });
}
