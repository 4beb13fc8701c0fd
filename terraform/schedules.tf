resource "google_cloud_scheduler_job" "job" {
  for_each = local.scheduled

  name             = each.key
  region           = var.region
  description      = each.value.why
  schedule         = each.value.trigger.schedule
  time_zone        = each.value.trigger.timeZone
  attempt_deadline = "${each.value.timeoutSeconds + 30}s"

  http_target {
    http_method = "POST"
    uri         = google_cloudfunctions2_function.function[each.key].service_config[0].uri

    oidc_token {
      service_account_email = google_service_account.scheduler.email
      audience              = google_cloudfunctions2_function.function[each.key].service_config[0].uri
    }
  }

  retry_config {
    retry_count          = 3
    min_backoff_duration = "5s"
    max_backoff_duration = "60s"
  }

  depends_on = [google_project_service.api]
}
