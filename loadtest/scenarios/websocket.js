// WSS, terminated at the edge: each user opens a WebSocket, sends 100 messages one after the other, each
// after the echo of the one before, and closes. A "request" is one message there and back.

import { check } from 'k6';
import { Counter, Trend } from 'k6/metrics';
import ws from 'k6/ws';
import { https as base, line, name, options as shared } from './summary.js';

export const options = shared;
const url = base.replace('https', 'wss').replace('NAME', name('load-chat'));
const messages = new Counter('messages');
const roundTrip = new Trend('round_trip', true);
const text = 'x'.repeat(128);

export default function () {
  let left = 100;
  const answer = ws.connect(url, {}, (socket) => {
    let sent;
    const send = () => {
      sent = Date.now();
      socket.send(text);
    };
    socket.on('open', send);
    socket.on('message', () => {
      roundTrip.add(Date.now() - sent);
      messages.add(1);
      left -= 1;
      if (left > 0) send();
      else socket.close();
    });
  });
  check(answer, { upgraded: (got) => got && got.status === 101, 'all echoed': () => left === 0 });
}

export const handleSummary = (data) => ({ stdout: line(data, 'round_trip', 'messages') + '\n' });
