#!/usr/bin/env bash
# Calls Ingest with `wait_for_verdict` at a fixed rate with ghz, on a system that runs, and prints ghz's summary.
#
#   API_KEY=... benchmarks/ghz/wait_for_verdict.sh [INGEST]     address: 127.0.0.1:50051
#
# For DURATION (30s), RATE (20) calls a second, on the way HAND_OFF (DIRECT; or STREAM). Exits with 1 if any call
# fails.
# ghz: go install github.com/bojand/ghz/cmd/ghz@v0.120.0, or GHZ=/path/to/ghz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

ghz=${GHZ:-ghz}
: "${API_KEY:?set it to a key of the system}"
command -v "$ghz" >/dev/null || { echo "wait_for_verdict: no ghz on PATH; see the first lines of this script" >&2; exit 1; }

event='{"event_type":"EVENT_TYPE_MESSAGE_CREATED","platform":"PLATFORM_DISCORD","channel_id":"ghz","author_id":"ghz","content":"message {{newUUID}}"}'
told=$("$ghz" --insecure --metadata "{\"api-key\":\"$API_KEY\"}" \
  --import-paths protos --proto seawall/ingest/v1/ingest.proto --call seawall.ingest.v1.IngestService/Ingest \
  --data "{\"event\":$event,\"hand_off\":\"HAND_OFF_${HAND_OFF:-DIRECT}\",\"wait_for_verdict\":true}" \
  --duration "${DURATION:-30s}" --duration-stop wait --rps "${RATE:-20}" --concurrency 50 --timeout 20s \
  "${1:-127.0.0.1:50051}")
echo "$told"
codes=$(grep -oE '^ *\[[A-Za-z]+\] +[0-9]+ responses' <<<"$told" | awk '{print $1}')
[[ $codes == '[OK]' ]]
