# Messages that come back at a known time (shared/runtime/delayed-retry.ts).
resource "google_cloud_tasks_queue" "delayed_retries" {
  name     = "delayed-retries"
  location = var.region

  rate_limits {
    max_dispatches_per_second = 500
    max_concurrent_dispatches = 1000
  }

  # The only copy of the message is the task, and a task that is out of attempts or too old is deleted: so it never is.
  retry_config {
    max_attempts       = -1
    max_retry_duration = "0s"
    min_backoff        = "5s"
    max_backoff        = "600s"
    max_doublings      = 6
  }

  stackdriver_logging_config {
    sampling_ratio = 0.01
  }

  depends_on = [google_project_service.api]
}

resource "google_cloud_tasks_queue_iam_member" "enqueuer" {
  for_each = local.task_users

  name     = google_cloud_tasks_queue.delayed_retries.name
  location = var.region
  role     = "roles/cloudtasks.enqueuer"
  member   = google_service_account.function[each.key].member
}

# Who makes a task names the account it is called with, and must be allowed to.
resource "google_service_account_iam_member" "task_users" {
  for_each = local.task_users

  service_account_id = google_service_account.tasks.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.function[each.key].member
}
