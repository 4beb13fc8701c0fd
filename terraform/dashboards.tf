# One page for whoever is on call: the relay from the top, then onboarding, then Meta.
locals {
  run_requests = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\""
  unacked_age  = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\""

  # Title, what is shown, how points of one series and series are put together, and by what label they are told apart.
  charts = [
    { title = "Relay: requests a second by answer", filter = "${local.run_requests} AND resource.label.service_name=\"capi-relay\"", aligner = "ALIGN_RATE", by = "metric.label.response_code_class" },
    { title = "Relay: slowest in a hundred (ms)", filter = "metric.type=\"run.googleapis.com/request_latencies\" AND resource.type=\"cloud_run_revision\" AND resource.label.service_name=\"capi-relay\"", aligner = "ALIGN_PERCENTILE_99", by = "resource.label.service_name" },
    { title = "Delivery: oldest waiting event (s)", filter = "${local.unacked_age} AND resource.label.subscription_id=\"capi-deliver\"", aligner = "ALIGN_MAX", by = "resource.label.subscription_id" },
    { title = "Delivery: from queued to taken, slowest in a hundred (ms)", filter = local.measured.delivery_latency, aligner = "ALIGN_PERCENTILE_99", by = "resource.label.service_name" },
    { title = "Delivery: events in a call to Meta", filter = local.measured.batch_events, aligner = "ALIGN_PERCENTILE_50", by = "resource.label.service_name" },
    { title = "Delivery: events Meta took, by message", filter = local.measured.accepted_events, aligner = "ALIGN_PERCENTILE_50", by = "resource.label.service_name" },
    { title = "Delivery: tasks waiting", filter = "metric.type=\"cloudtasks.googleapis.com/queue/depth\" AND resource.type=\"cloud_tasks_queue\"", aligner = "ALIGN_MEAN", by = "resource.label.queue_id" },
    { title = "Dead letters by reason", filter = local.counted.dead_letters, aligner = "ALIGN_DELTA", by = "metric.label.reason" },
    { title = "Onboarding: steps done", filter = local.counted.steps_done, aligner = "ALIGN_DELTA", by = "metric.label.step" },
    { title = "Onboarding: steps that began to wait", filter = local.counted.steps_waiting, aligner = "ALIGN_DELTA", by = "metric.label.step" },
    { title = "Onboarding: oldest waiting message by step (s)", filter = local.unacked_age, aligner = "ALIGN_MAX", by = "resource.label.subscription_id" },
    { title = "Meta: used of its limits (%)", filter = local.measured.usage_percent, aligner = "ALIGN_PERCENTILE_99", by = "metric.label.useCase" },
    { title = "Meta: match quality of tenants, the middle one (0 to 10)", filter = local.measured.match_quality, aligner = "ALIGN_PERCENTILE_50", by = "resource.label.service_name" },
    { title = "Meta: failed calls by class", filter = local.counted.graph_classes, aligner = "ALIGN_RATE", by = "metric.label.errorClass" },
    { title = "Meta: failed calls by reason", filter = local.counted.graph_failures, aligner = "ALIGN_RATE", by = "metric.label.errorReason" },
    { title = "Errors nobody foresaw, by function", filter = local.counted.unexpected_errors, aligner = "ALIGN_DELTA", by = "metric.label.function" },
    { title = "Instances by function", filter = "metric.type=\"run.googleapis.com/container/instance_count\" AND resource.type=\"cloud_run_revision\"", aligner = "ALIGN_MAX", by = "resource.label.service_name" },
  ]

  # Gauges of ops-metrics that are read together.
  gauge_charts = [
    { title = "Onboarding: steps that wait, by who must act", gauges = ["stepsWaitingOnClient", "stepsWaitingOnMeta", "stepsWaitingOnKobi"] },
    { title = "Oldest (s): running onboarding, message in the outbox, look at a token", gauges = ["oldestRunSeconds", "oldestOutboxSeconds", "oldestTokenCheckSeconds"] },
    { title = "Kept: dead letters, held messages; open alerts, dead tokens", gauges = ["deadLetters", "heldEvents", "openAlerts", "deadTokens"] },
  ]

  # What counters of all instances add up to, a second. A sum is asked of a distribution in PromQL only.
  verdicts = ["received", "refused", "dropped", "held", "delivered", "duplicate", "uncertain", "dead", "warned"]

  widgets = concat(
    [{
      title = "Relay: events a second by verdict"
      xyChart = {
        dataSets = [
          for verdict in local.verdicts : {
            plotType       = "LINE"
            legendTemplate = verdict
            timeSeriesQuery = {
              prometheusQuery = "sum(rate(logging_googleapis_com:user_meta_ads_relay_${verdict}_sum{monitored_resource=\"cloud_run_revision\"}[5m]))"
            }
          }
        ]
      }
    }],
    [
      for chart in local.charts : {
        title = chart.title
        xyChart = {
          dataSets = [{
            plotType = "LINE"
            timeSeriesQuery = {
              timeSeriesFilter = {
                filter = chart.filter
                aggregation = {
                  alignmentPeriod    = "60s"
                  perSeriesAligner   = chart.aligner
                  crossSeriesReducer = startswith(chart.aligner, "ALIGN_PERCENTILE") || chart.aligner == "ALIGN_MAX" ? "REDUCE_MAX" : "REDUCE_SUM"
                  groupByFields      = [chart.by]
                }
              }
            }
          }]
        }
      }
    ],
    [
      for chart in local.gauge_charts : {
        title = chart.title
        xyChart = {
          dataSets = [
            for gauge in chart.gauges : {
              plotType       = "LINE"
              legendTemplate = gauge
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = local.gauged[gauge]
                  aggregation = {
                    alignmentPeriod    = "300s"
                    perSeriesAligner   = "ALIGN_PERCENTILE_99"
                    crossSeriesReducer = "REDUCE_MAX"
                  }
                }
              }
            }
          ]
        }
      }
    ],
  )
}

resource "google_monitoring_dashboard" "meta_ads" {
  dashboard_json = jsonencode({
    displayName = "Meta Ads"
    gridLayout  = { columns = "3", widgets = local.widgets }
  })

  depends_on = [google_logging_metric.count, google_logging_metric.gauge, google_logging_metric.measure]
}
