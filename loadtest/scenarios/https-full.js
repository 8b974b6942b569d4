// A full TLS handshake with each request: k6 keeps neither its connections nor, unlike wrk, its sessions.

import { check } from 'k6';
import http from 'k6/http';
import { https as base, line, name, options as shared } from './summary.js';

export const options = { ...shared, noConnectionReuse: true };
const url = `${base.replace('NAME', name('load-safe'))}/small`;

export default function () {
  check(http.get(url), {
    served: (answer) => answer.status === 200,
    'over HTTP/1.1': (answer) => answer.proto === 'HTTP/1.1',
  });
}

export const handleSummary = (data) => ({ stdout: line(data, 'http_req_duration', 'http_reqs') + '\n' });
