#!/usr/bin/env bash
# Calls every method of both services with ghz, by reflection and by proto files, on a system that runs.
#
#   API_KEY=... benchmarks/ghz/every_method.sh [INGEST [SCREENER]]     addresses: 127.0.0.1:50051 127.0.0.1:50052
#
# REQUESTS (20) calls of each method and way, CONCURRENCY (2) at a time. Exits with 1 if any call fails.
# ghz: go install github.com/bojand/ghz/cmd/ghz@v0.120.0, or GHZ=/path/to/ghz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

ingest=${1:-127.0.0.1:50051}
screener=${2:-127.0.0.1:50052}
ghz=${GHZ:-ghz}
requests=${REQUESTS:-20}
concurrency=${CONCURRENCY:-2}

: "${API_KEY:?set it to a key of the system}"
command -v "$ghz" >/dev/null || { echo "every_method: no ghz on PATH; see the first lines of this script" >&2; exit 1; }
key="{\"api-key\":\"$API_KEY\"}"

# Every event has another text, or all but the first were duplicates.
event='{"event_type":"EVENT_TYPE_MESSAGE_CREATED","platform":"PLATFORM_DISCORD","channel_id":"ghz","author_id":"ghz","content":"message {{newUUID}}"}'
single="{\"event\":$event}"
batch="{\"events\":[$event,$event,$event]}"
stream="[{\"correlation_id\":1,\"event\":$event},{\"correlation_id\":2,\"event\":$event}]"

by_reflection=(--reflect-metadata "$key")
by_ingest_proto=(--import-paths protos --proto seawall/ingest/v1/ingest.proto)
by_screening_proto=(--import-paths protos --proto seawall/screening/v1/screening.proto)

failed=0

call() { # address, method, data, then how ghz learns of the method
  local address=$1 method=$2 data=$3 told way code=OK
  [[ $method == */WatchVerdicts ]] && code=Canceled  # the stream has no end: ghz makes one after the first message
  shift 3
  way=$([[ $1 == --reflect-metadata ]] && echo reflection || echo "proto files")
  told=$("$ghz" --insecure --metadata "$key" -n "$requests" -c "$concurrency" \
    --call "$method" --data "$data" "$@" "$address" 2>&1) || true
  # ghz itself exits with 0 whatever the calls answered.
  if [[ $(grep -cE '^ *\[[A-Za-z]+\] +[0-9]+ responses' <<<"$told") == 1 ]] \
    && grep -qE "^ *\[$code\] +$requests responses" <<<"$told"; then
    printf 'ok      %-55s %-12s %s\n' "$method" "$way" "$(awk '/Average:/ {print "average " $2 " " $3}' <<<"$told")"
  else
    printf 'FAILED  %-55s %s\n' "$method" "$way"
    tail -n 8 <<<"$told" >&2
    failed=1
  fi
}

both_ways() { # address, service, method, data, then more options of ghz
  local -n proto=$([[ $2 == *Ingest* ]] && echo by_ingest_proto || echo by_screening_proto)
  call "$1" "$2/$3" "$4" "${by_reflection[@]}" "${@:5}"
  call "$1" "$2/$3" "$4" "${proto[@]}" "${@:5}"
}

service=seawall.ingest.v1.IngestService
both_ways "$ingest" $service Ingest "$single"
both_ways "$ingest" $service Ingest "{\"event\":$event,\"wait_for_verdict\":true}"
both_ways "$ingest" $service IngestBatch "$batch"
both_ways "$ingest" $service IngestStream "$stream"
both_ways "$ingest" $service GetEventStatus '{"event_id":"ghz-{{.RequestNumber}}"}'

service=seawall.screening.v1.ScreeningService
both_ways "$screener" $service Screen "$single"
both_ways "$screener" $service ScreenBatch "$batch"
both_ways "$screener" $service ScreenStream "$stream"
both_ways "$screener" $service FindSimilar '{"content":"message {{newUUID}}","limit":5}'
both_ways "$screener" $service WatchVerdicts '{}' --stream-call-count 1

exit $failed
