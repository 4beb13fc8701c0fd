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

  gauged = {
    for name in local.gauges : name => "metric.type=\"logging.googleapis.com/user/meta-ads/${name}\" AND resource.type=\"cloud_run_revision\""
  }

  # As those of alerts.tf.
  gauge_alerts = {
    outbox-old = {
      runbook  = "ops"
      says     = "A message that must leave has waited in the outbox for ten minutes."
      severity = "ERROR"
      filter   = local.gauged.oldestOutboxSeconds
      aligner  = "ALIGN_PERCENTILE_99"
      reducer  = "REDUCE_MAX"
      above    = 600
      minutes  = 0
    }
    waits-on-kobi = {
      runbook  = "provisioning"
      says     = "An onboarding step has waited for Kobi for an hour."
      severity = "WARNING"
      filter   = local.gauged.stepsWaitingOnKobi
      aligner  = "ALIGN_PERCENTILE_99"
      reducer  = "REDUCE_MAX"
      above    = 0
      minutes  = 60
    }
    tokens-unchecked = {
      runbook  = "tokens"
      says     = "A tenant's token was last checked at Meta more than two days ago."
      severity = "WARNING"
      filter   = local.gauged.oldestTokenCheckSeconds
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
