# What ops-metrics writes every five minutes: a metric for each number of its line. Names and meanings stand in
# shared/contracts/metrics.ts, which a test holds to these.
locals {
  gauges = toset([
    "oldestRunSeconds",
    "stepsWaitingOnClient",
    "stepsWaitingOnMeta",
    "stepsWaitingOnKobi",
    "oldestOutboxSeconds",
    "deadLetters",
    "heldEvents",
    "openAlerts",
    "deadTokens",
    "oldestTokenCheckSeconds",
  ])

  # As those of alerts.tf.
  gauge_alerts = {
    outbox-old = {
      runbook  = "ops"
      says     = "A message that must leave has waited in the outbox for ten minutes."
      severity = "ERROR"
      filter   = "metric.type=\"logging.googleapis.com/user/meta-ads/oldestOutboxSeconds\" AND resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_PERCENTILE_99"
      reducer  = "REDUCE_MAX"
      above    = 600
      minutes  = 0
    }
    waits-on-kobi = {
      runbook  = "provisioning"
      says     = "An onboarding step has waited for Kobi for an hour."
      severity = "WARNING"
      filter   = "metric.type=\"logging.googleapis.com/user/meta-ads/stepsWaitingOnKobi\" AND resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_PERCENTILE_99"
      reducer  = "REDUCE_MAX"
      above    = 0
      minutes  = 60
    }
    tokens-unchecked = {
      runbook  = "tokens"
      says     = "A tenant's token was last checked at Meta more than two days ago."
      severity = "WARNING"
      filter   = "metric.type=\"logging.googleapis.com/user/meta-ads/oldestTokenCheckSeconds\" AND resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_PERCENTILE_99"
      reducer  = "REDUCE_MAX"
      above    = 172800
      minutes  = 0
    }
  }
}

resource "google_logging_metric" "gauge" {
  for_each = local.gauges

  name            = "meta-ads/${each.key}"
  filter          = "${local.function_lines} AND jsonPayload.message=\"gauges\""
  value_extractor = "EXTRACT(jsonPayload.${each.key})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "1"
  }
}
