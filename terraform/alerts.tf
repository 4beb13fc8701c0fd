# Each alert says where its runbook is: a heading of the page beside the functions it is about, which a test holds to be
# there.
locals {
  runbooks = {
    relay        = "functions/relay/RUNBOOK.md"
    provisioning = "functions/provisioning/RUNBOOK.md"
    tokens       = "functions/tokens/RUNBOOK.md"
    ops          = "functions/ops/RUNBOOK.md"
  }

  counted = {
    for name in keys(local.log_counts) : name => "metric.type=\"logging.googleapis.com/user/meta-ads/${name}\" AND resource.type=\"cloud_run_revision\""
  }

  # For each: the runbook's page and heading, what is looked at, and when it is too much for how long.
  alerts = {
    relay-errors = {
      runbook  = "relay"
      says     = "capi-relay answers senders with 5xx: events may not have been queued."
      severity = "CRITICAL"
      filter   = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.label.service_name=\"capi-relay\" AND metric.label.response_code_class=\"5xx\""
      aligner  = "ALIGN_RATE"
      reducer  = "REDUCE_SUM"
      above    = 1
      minutes  = 5
    }
    delivery-behind = {
      runbook  = "relay"
      says     = "The oldest event waiting for Meta is older than 15 minutes."
      severity = "ERROR"
      filter   = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND resource.label.subscription_id=\"capi-deliver\""
      aligner  = "ALIGN_MAX"
      reducer  = "REDUCE_MAX"
      above    = 900
      minutes  = 5
    }
    dead-letters = {
      runbook  = "relay"
      says     = "Messages were given up on and recorded as dead letters."
      severity = "WARNING"
      filter   = local.counted.dead_letters
      aligner  = "ALIGN_DELTA"
      reducer  = "REDUCE_SUM"
      above    = 0
      minutes  = 0
    }
    dead-letters-stuck = {
      runbook  = "relay"
      says     = "Dead letters are not being recorded: after 31 days Pub/Sub forgets them."
      severity = "CRITICAL"
      filter   = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND resource.label.subscription_id=\"capi-dead-letters\""
      aligner  = "ALIGN_MAX"
      reducer  = "REDUCE_MAX"
      above    = 900
      minutes  = 5
    }
    events-held = {
      runbook  = "relay"
      says     = "Events of a tenant are held back until somebody acts."
      severity = "ERROR"
      filter   = local.counted.events_held
      aligner  = "ALIGN_DELTA"
      reducer  = "REDUCE_SUM"
      above    = 0
      minutes  = 0
    }
    retries-piling-up = {
      runbook  = "relay"
      says     = "More than 100,000 messages wait in the queue of delayed retries."
      severity = "ERROR"
      filter   = "metric.type=\"cloudtasks.googleapis.com/queue/depth\" AND resource.type=\"cloud_tasks_queue\" AND resource.label.queue_id=\"delayed-retries\""
      aligner  = "ALIGN_MEAN"
      reducer  = "REDUCE_SUM"
      above    = 100000
      minutes  = 15
    }
    step-failed = {
      runbook  = "provisioning"
      says     = "An onboarding step failed and will not go on by itself."
      severity = "ERROR"
      filter   = local.counted.steps_failed
      aligner  = "ALIGN_DELTA"
      reducer  = "REDUCE_SUM"
      above    = 0
      minutes  = 0
    }
    graph-errors = {
      runbook  = "provisioning"
      says     = "Meta refuses or fails more than one call a second."
      severity = "WARNING"
      filter   = local.counted.graph_failures
      aligner  = "ALIGN_RATE"
      reducer  = "REDUCE_SUM"
      above    = 1
      minutes  = 10
    }
    usage-near-limit = {
      runbook  = "provisioning"
      says     = "Calls use more than 90 % of one of Meta's limits."
      severity = "WARNING"
      filter   = local.measured.usage_percent
      aligner  = "ALIGN_PERCENTILE_99"
      reducer  = "REDUCE_MAX"
      above    = 90
      minutes  = 10
    }
    graph-version = {
      runbook  = "provisioning"
      says     = "Meta answers with another Graph version than the one asked for: ours has ended."
      severity = "ERROR"
      filter   = local.counted.graph_versions
      aligner  = "ALIGN_DELTA"
      reducer  = "REDUCE_SUM"
      above    = 0
      minutes  = 0
    }
    token-lost = {
      runbook  = "tokens"
      says     = "A tenant has no working token, and Kobi's code cannot bring one back."
      severity = "ERROR"
      filter   = local.counted.tokens_lost
      aligner  = "ALIGN_DELTA"
      reducer  = "REDUCE_SUM"
      above    = 0
      minutes  = 0
    }
    job-failed = {
      runbook  = "ops"
      says     = "A scheduled job failed."
      severity = "WARNING"
      filter   = local.counted.job_failures
      aligner  = "ALIGN_DELTA"
      reducer  = "REDUCE_SUM"
      above    = 2
      minutes  = 0
    }
    unexpected-errors = {
      runbook  = "ops"
      says     = "A function met an error nobody foresaw."
      severity = "ERROR"
      filter   = local.counted.unexpected_errors
      aligner  = "ALIGN_DELTA"
      reducer  = "REDUCE_SUM"
      above    = 0
      minutes  = 0
    }
  }
}

resource "google_monitoring_notification_channel" "mail" {
  display_name = "Meta Ads on call"
  type         = "email"

  labels = {
    email_address = var.alert_email
  }
}

resource "google_monitoring_alert_policy" "alert" {
  for_each = merge(local.alerts, local.gauge_alerts)

  display_name          = each.key
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = [google_monitoring_notification_channel.mail.id]

  conditions {
    display_name = each.value.says

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above
      duration        = "${each.value.minutes * 60}s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.says} What it means, how to look and what to do: ${local.runbooks[each.value.runbook]}#${each.key}"
  }

  # A policy cannot be made for a metric that does not exist yet.
  depends_on = [google_logging_metric.count, google_logging_metric.gauge, google_logging_metric.measure]
}
