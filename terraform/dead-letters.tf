# What a subscription gives up on goes to the topic dead-letters, which capi-dead-letters records. Pub/Sub moves it: it
# acknowledges on the one side and publishes on the other.
resource "google_pubsub_subscription_iam_member" "gives_up" {
  for_each = { for name, function in local.subscribers : name => function if can(function.maxAttempts) }

  subscription = google_pubsub_subscription.push[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.agents.pubsub
}

resource "google_pubsub_topic_iam_member" "dead_letters" {
  topic  = google_pubsub_topic.topic["dead-letters"].name
  role   = "roles/pubsub.publisher"
  member = local.agents.pubsub
}
