// HTTPS, terminated at the edge: 16 users over HTTP/2, a small answer.

import { check } from 'k6';
import http from 'k6/http';
import { https as base, line, name, options as shared } from './summary.js';

export const options = shared;
const url = `${base.replace('NAME', name('load-safe'))}/small`;

export default function () {
  check(http.get(url), {
    served: (answer) => answer.status === 200,
    'over h2': (answer) => answer.proto === 'HTTP/2.0',
  });
}

export const handleSummary = (data) => ({ stdout: line(data, 'http_req_duration', 'http_reqs') + '\n' });
