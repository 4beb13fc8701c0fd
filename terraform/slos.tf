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

# Events come to Meta soon: 99 % of messages are there two minutes after they were queued, holds and repeats counted in.
# What is not delivered at all is no part of this; delivery-behind and events-held tell it.
resource "google_monitoring_slo" "relay_delivers" {
  service             = google_monitoring_custom_service.service["relay"].service_id
  slo_id              = "relay-delivers"
  display_name        = "Events delivered within two minutes"
  goal                = 0.99
  rolling_period_days = 28

  request_based_sli {
    distribution_cut {
      distribution_filter = local.measured.delivery_latency

      range {
        max = 120000
      }
    }
  }

  depends_on = [google_logging_metric.measure]
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

# Ten times faster than the promise allows: at that pace what four weeks may hold of errors is gone in less than three days.
locals {
  burns = {
    relay-slo-burns = {
      slo  = google_monitoring_slo.relay_available.id
      says = "The relay answers too many requests with 5xx to keep its promise of 99.9 %."
    }
    delivery-slo-burns = {
      slo  = google_monitoring_slo.relay_delivers.id
      says = "Too many events come to Meta later than two minutes to keep the promise of 99 %."
    }
  }
}

resource "google_monitoring_alert_policy" "burns" {
  for_each = local.burns

  display_name          = each.key
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = [google_monitoring_notification_channel.mail.id]

  conditions {
    display_name = each.value.says

    condition_threshold {
      filter          = "select_slo_burn_rate(\"${each.value.slo}\", \"3600s\")"
      comparison      = "COMPARISON_GT"
      threshold_value = 10
      duration        = "0s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.says} What to do: ${local.runbooks.relay}#${each.key}"
  }
}
