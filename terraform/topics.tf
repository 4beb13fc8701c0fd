# One topic for every name a manifest hears or emits. Messages are validated by the functions against
# shared/contracts/topics.ts, where a refused one is kept as a dead letter; a Pub/Sub schema would only refuse it.
resource "google_pubsub_topic" "topic" {
  for_each = local.topics

  name = each.key
  # Long enough to replay a week to a subscription that was wrong.
  message_retention_duration = "604800s"

  message_storage_policy {
    allowed_persistence_regions = var.message_regions
  }

  depends_on = [google_project_service.api]
}

# What a function emits it may publish, and nothing else.
resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = local.publications

  topic  = google_pubsub_topic.topic[each.value.topic].name
  role   = "roles/pubsub.publisher"
  member = google_service_account.function[each.value.function].member
}

resource "google_pubsub_topic_iam_member" "secret_manager" {
  topic  = google_pubsub_topic.topic["secret-notifications"].name
  role   = "roles/pubsub.publisher"
  member = local.agents.secret_manager
}
