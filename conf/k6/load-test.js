// 100 users post 1,000 events a minute while 50 streams are open: p95 of the answers below 500 ms, less than 1 % errors.
//
//   BASE_URL=https://pipe.example API_KEY="$(cat key)" k6 run conf/k6/load-test.js
//
//   BASE_URL   the server (default http://127.0.0.1:3000); no other host is spoken to
//   API_KEY    a key that may ingest; from the environment alone, since arguments can be read by every user
//   SECONDS    how long (default 60, at most 600: k6 holds what the streams have got in memory)
//
// Run with k6 1.8.1. k6 has no Server-Sent Events of its own: its HTTP client returns when an answer is over, and a stream's
// never is. So a stream here is a GET that is cut by its timeout; k6 warns "request timeout" for each, and gives what had
// come until then. This script counts the events in it and looks at their order. When each came, it cannot see. The same
// load with the delay of each event on each stream is
//
//   agentpipe-server bench https://pipe.example --scenario steady
//
// It leaves 100 conversations k6-<time>-<number> in the server.

import http from 'k6/http';
import exec from 'k6/execution';
import { check } from 'k6';

const BASE_URL = (__ENV.BASE_URL || 'http://127.0.0.1:3000').replace(/\/+$/, '');
const SECONDS = Number(__ENV.SECONDS || 60);
const USERS = 100;
const EVENTS_PER_MINUTE = 1000;
const STREAMS = 50;

// What k6 gives a request that its timeout has cut (its list of error codes).
const CUT_BY_TIMEOUT = 1050;

if (!__ENV.API_KEY) {
  throw new Error('API_KEY is not set');
}
if (!(SECONDS >= 1 && SECONDS <= 600)) {
  throw new Error('SECONDS is from 1 to 600');
}

export const options = {
  maxRedirects: 0, // the key is for this host
  scenarios: {
    streams: {
      executor: 'per-vu-iterations',
      exec: 'stream',
      vus: STREAMS,
      iterations: 1,
      maxDuration: `${SECONDS + 15}s`,
    },
    events: {
      // Events come when they are due, whatever became of those before.
      executor: 'constant-arrival-rate',
      exec: 'event',
      rate: EVENTS_PER_MINUTE,
      timeUnit: '1m',
      duration: `${SECONDS}s`,
      startTime: '3s', // the streams are open by then
      preAllocatedVUs: USERS,
      maxVUs: USERS,
    },
  },
  thresholds: {
    'http_req_duration{kind:ingest}': ['p(95)<500'],
    'http_req_failed{kind:ingest}': ['rate<0.01'],
    'checks{kind:stream}': ['rate==1'],
    dropped_iterations: ['count==0'], // no user was free: the answers took too long
  },
};

const ingest = {
  headers: { Authorization: `Bearer ${__ENV.API_KEY}`, 'Content-Type': 'application/json' },
  timeout: '10s',
  tags: { kind: 'ingest' },
};

function post(type, data) {
  const body = JSON.stringify({ type, timestamp: new Date().toISOString(), data });
  return http.post(`${BASE_URL}/api/ingest`, body, ingest);
}

export function setup() {
  const run = `k6-${Date.now()}`;
  const answer = post('conversation.started', {
    conversation_id: `${run}-0`,
    mode: 'round-robin',
    initial_prompt: 'conf/k6/load-test.js',
    participants: [{ agent_id: 'k6-0', agent_type: 'k6', name: 'k6' }],
  });
  if (answer.status !== 201) {
    throw new Error(`the first event is not taken: ${answer.status} ${answer.error || answer.body}`);
  }
  return run;
}

export function event(run) {
  const number = exec.scenario.iterationInTest;
  const conversation = `${run}-${number % USERS}`;
  const answer = post('message.created', {
    conversation_id: conversation,
    message_id: `${run}-m${number}`,
    agent_id: 'k6-0',
    agent_type: 'k6',
    agent_name: 'k6',
    content: 'A message of the load test: about as long as what an agent says when it agrees with the one before. '.repeat(3),
    sequence_number: Math.floor(number / USERS) + 1,
    tokens_used: 90,
    cost: 0.00045,
    model: 'none',
  });
  check(answer, { stored: (r) => r.status === 201 }, { kind: 'ingest' });
}

// A stream of all conversations of the run: every event goes to every stream.
export function stream(run) {
  const conversations = Array.from({ length: USERS }, (_, user) => `${run}-${user}`).join(',');
  const answer = http.get(`${BASE_URL}/api/realtime/stream?conversationId=${conversations}`, {
    headers: { Accept: 'text/event-stream', Authorization: `Bearer ${__ENV.API_KEY}` },
    timeout: `${SECONDS + 6}s`,
    responseCallback: null, // being cut is no failed request
    tags: { kind: 'stream', name: 'stream' },
  });
  const positions = [];
  const messages = new Set();
  for (const frame of (answer.body || '').split('\n\n')) {
    const message = frame.match(/"message_id":"k6-\d+-m(\d+)"/);
    if (message) {
      messages.add(message[1]);
      positions.push(Number((frame.match(/^id: .*-(\d+)$/m) || [])[1]));
    }
  }
  const due = Math.floor((SECONDS * EVENTS_PER_MINUTE) / 60);
  check(
    answer,
    {
      'open to the end': (r) => r.error_code === CUT_BY_TIMEOUT,
      'has the events': () => messages.size >= 0.99 * due, // 1 % may have been refused
      'each once, in order': () => positions.every((position, i) => i === 0 || position > positions[i - 1]),
    },
    { kind: 'stream' },
  );
}

export function teardown(run) {
  for (let user = 0; user < USERS; user++) {
    post('conversation.completed', { conversation_id: `${run}-${user}`, status: 'completed' });
  }
}
