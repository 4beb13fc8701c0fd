# What the relay and the onboarding promise, measured over 28 days.
resource "google_monitoring_custom_service" "service" {
  for_each = { relay = "Relay", onboarding = "Onboarding" }

  service_id   = each.key
  display_name = each.value
}

# A sender gets an answer: 99.9 % of requests are not answered with 5xx.
resource "google_monitoring_slo" "relay_available" {
  service             = google_monitoring_custom_service.service["relay"].service_id
  slo_id              = "relay-available"
  display_name        = "Requests answered"
  goal                = 0.999
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      bad_service_filter   = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.label.service_name=\"capi-relay\" AND metric.label.response_code_class=\"5xx\""
      total_service_filter = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.label.service_name=\"capi-relay\""
    }
  }
}

# Events come to Meta soon: in 99 % of all five minutes none has waited for more than two.
resource "google_monitoring_slo" "relay_delivers" {
  service             = google_monitoring_custom_service.service["relay"].service_id
  slo_id              = "relay-delivers"
  display_name        = "Events delivered within two minutes"
  goal                = 0.99
  rolling_period_days = 28

  windows_based_sli {
    window_period = "300s"

    metric_mean_in_range {
      time_series = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND resource.label.subscription_id=\"capi-deliver\""

      range {
        max = 120
      }
    }
  }
}

# Onboarding goes on by itself: 99 % of steps end done, not failed.
resource "google_monitoring_slo" "onboarding_goes_on" {
  service             = google_monitoring_custom_service.service["onboarding"].service_id
  slo_id              = "onboarding-goes-on"
  display_name        = "Steps done"
  goal                = 0.99
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      good_service_filter = local.counted.steps_done
      bad_service_filter  = local.counted.steps_failed
    }
  }

  depends_on = [google_logging_metric.count]
}

# Ten times faster than the promise allows: at that pace two days' worth of errors are gone in five hours.
resource "google_monitoring_alert_policy" "relay_burns" {
  display_name          = "relay-slo-burns"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = [google_monitoring_notification_channel.mail.id]

  conditions {
    display_name = "The relay uses up its promise ten times too fast"

    condition_threshold {
      filter          = "select_slo_burn_rate(\"${google_monitoring_slo.relay_available.id}\", \"3600s\")"
      comparison      = "COMPARISON_GT"
      threshold_value = 10
      duration        = "0s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "The relay answers too many requests with 5xx to keep its promise of 99.9 %. What to do: ${local.runbooks.relay}#relay-slo-burns"
  }
}
