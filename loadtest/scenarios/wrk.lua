-- One scenario for wrk: the URL's host is asked for (Host and SNI), wherever it resolves to, at the
-- address in the environment's EDGE. Each answer other than 200 is counted as failed.
-- The last line printed is one JSON object: requests, failed, p50_us, p99_us, seconds.

local edge = os.getenv("EDGE") or "127.0.0.1"

function wrk.resolve(_, service)
   wrk.addrs = { wrk.lookup(edge, service)[1] }
end

-- The port of the listening socket is not the one the public sees; names are routed without it.
function init()
   wrk.headers["Host"] = wrk.host
   if os.getenv("CLOSE") then
      wrk.headers["Connection"] = "close"
   end
end

function done(summary, latency)
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
   io.write(string.format(
      '{"requests":%d,"failed":%d,"p50_us":%d,"p99_us":%d,"seconds":%.3f}\n',
      summary.requests, failed, latency:percentile(50), latency:percentile(99), summary.duration / 1e6
   ))
end
