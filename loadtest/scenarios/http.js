// HTTP/1.1 on the plain port: 16 users, keep-alive, a small answer.

import { check } from 'k6';
import http from 'k6/http';
import { http as base, line, name, options as shared } from './summary.js';

export const options = shared;
const url = `${base.replace('NAME', name('load-web'))}/small`;

export default function () {
  check(http.get(url), { served: (answer) => answer.status === 200 });
}

export const handleSummary = (data) => ({ stdout: line(data, 'http_req_duration', 'http_reqs') + '\n' });
