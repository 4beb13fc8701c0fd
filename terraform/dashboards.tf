# One page for whoever is on call: the relay from the top, then onboarding, then Meta.
locals {
  run_requests = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\""
  unacked_age  = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\""

  # Title, what is shown, how points of one series and series are put together, and by what label they are told apart.
  charts = [
    { title = "Relay: requests a second by answer", filter = "${local.run_requests} AND resource.label.service_name=\"capi-relay\"", aligner = "ALIGN_RATE", by = "metric.label.response_code_class" },
    { title = "Relay: slowest in a hundred (ms)", filter = "metric.type=\"run.googleapis.com/request_latencies\" AND resource.type=\"cloud_run_revision\" AND resource.label.service_name=\"capi-relay\"", aligner = "ALIGN_PERCENTILE_99", by = "resource.label.service_name" },
    { title = "Delivery: oldest waiting event (s)", filter = "${local.unacked_age} AND resource.label.subscription_id=\"capi-deliver\"", aligner = "ALIGN_MAX", by = "resource.label.subscription_id" },
    { title = "Delivery: events Meta took, by message", filter = "metric.type=\"logging.googleapis.com/user/meta-ads/accepted_events\" AND resource.type=\"cloud_run_revision\"", aligner = "ALIGN_PERCENTILE_50", by = "resource.label.service_name" },
    { title = "Delivery: tasks waiting", filter = "metric.type=\"cloudtasks.googleapis.com/queue/depth\" AND resource.type=\"cloud_tasks_queue\"", aligner = "ALIGN_MEAN", by = "resource.label.queue_id" },
    { title = "Dead letters by reason", filter = local.counted.dead_letters, aligner = "ALIGN_DELTA", by = "metric.label.reason" },
    { title = "Onboarding: steps done", filter = local.counted.steps_done, aligner = "ALIGN_DELTA", by = "metric.label.step" },
    { title = "Onboarding: steps that began to wait", filter = local.counted.steps_waiting, aligner = "ALIGN_DELTA", by = "metric.label.step" },
    { title = "Onboarding: oldest waiting message by step (s)", filter = local.unacked_age, aligner = "ALIGN_MAX", by = "resource.label.subscription_id" },
    { title = "Meta: failed calls by reason", filter = local.counted.graph_failures, aligner = "ALIGN_RATE", by = "metric.label.errorReason" },
    { title = "Errors nobody foresaw, by function", filter = local.counted.unexpected_errors, aligner = "ALIGN_DELTA", by = "metric.label.function" },
    { title = "Instances by function", filter = "metric.type=\"run.googleapis.com/container/instance_count\" AND resource.type=\"cloud_run_revision\"", aligner = "ALIGN_MAX", by = "resource.label.service_name" },
  ]
}

resource "google_monitoring_dashboard" "meta_ads" {
  dashboard_json = jsonencode({
    displayName = "Meta Ads"
    gridLayout = {
      columns = "3"
      widgets = [
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
      ]
    }
  })

  depends_on = [google_logging_metric.count, google_logging_metric.accepted_events]
}
