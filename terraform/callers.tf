# Who may call which function. Cloud Run checks it before the function runs.

# Shown by Pub/Sub's pushes, by Cloud Scheduler and by Cloud Tasks. None of them may do anything but call.
resource "google_service_account" "pubsub_push" {
  account_id   = "pubsub-push"
  display_name = "Pub/Sub pushes"
}

resource "google_service_account" "scheduler" {
  account_id   = "scheduler"
  display_name = "Cloud Scheduler jobs"
}

resource "google_service_account" "tasks" {
  account_id   = "delayed-retries"
  display_name = "Cloud Tasks: delayed retries"
}

resource "google_cloud_run_service_iam_member" "pubsub" {
  for_each = local.subscribers

  service  = google_cloudfunctions2_function.function[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.pubsub_push.member
}

resource "google_cloud_run_service_iam_member" "scheduler" {
  for_each = local.scheduled

  service  = google_cloudfunctions2_function.function[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.scheduler.member
}

resource "google_cloud_run_service_iam_member" "tasks" {
  for_each = local.task_callees

  service  = google_cloudfunctions2_function.function[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.tasks.member
}

# Why each of these is open to anybody stands in its manifest (publicBecause).
resource "google_cloud_run_service_iam_member" "public" {
  for_each = local.public_functions

  service  = google_cloudfunctions2_function.function[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}

locals {
  # function/member => both.
  people = merge([
    for name in keys(local.called_by_people) : {
      for member in concat(var.operators, lookup(var.callers, name, [])) : "${name}/${member}" => { function = name, member = member }
    }
  ]...)
}

resource "google_cloud_run_service_iam_member" "people" {
  for_each = { for key, caller in local.people : key => caller if local.functions[caller.function].callers == "iam" }

  service  = google_cloudfunctions2_function.function[each.value.function].name
  location = var.region
  role     = "roles/run.invoker"
  member   = each.value.member
}
